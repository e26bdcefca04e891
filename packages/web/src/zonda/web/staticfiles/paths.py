"""From the path of a URL to a path in the file system, and no further than the roots allow.

In: text that a client has chosen, and the folders that may be served. Out: an absolute path.
Raises `HTTPError` (400, 403 or 404) for what leads elsewhere, or could to a system that reads
paths more generously than this one.
"""

import functools
import os
import re
import time
from collections.abc import Iterable
from typing import Final

from zonda.web.errors import HTTPError

# Names that Windows gives to devices in every folder, whatever the extension.
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9\xb9\xb2\xb3]|lpt[0-9\xb9\xb2\xb3])"
    r"[ ]*(?:[.:].*)?",
    re.IGNORECASE | re.DOTALL,
)

# Names that begin with no dot and hold nothing special to any system.
# On Windows none are: there are other special names there, and another separator.
_PLAIN_PATH: Final = re.compile(
    r"[\w-][\w.-]*+(?:/[\w-][\w.-]*+)*+" if os.name != "nt" else r"(?!)", re.ASCII
)


def check_url_path(path: str, *, windows: bool = os.name == "nt") -> None:
    """Refuse a path that no file of a site has and that only tricks need.

    Args:
        path: What a client asks for, percent-decoded, separated by slashes.
        windows: Whether the files are on Windows, where more names are special: drives and
            alternate streams (a colon), devices, and names whose dots or spaces at the end are
            ignored.

    Raises:
        HTTPError: 400 for NUL, 404 for a backslash and for those names.

    >>> check_url_path("css/site.css")
    >>> check_url_path("..\\\\secret")
    Traceback (most recent call last):
    zonda.web.errors.HTTPError: HTTP 404: Not Found (backslash in a static path)
    """
    if "\0" in path:
        raise HTTPError(400, "NUL in a static path")
    if "\\" in path:
        raise HTTPError(404, "backslash in a static path")
    if windows:
        for name in path.split("/"):
            if (
                ":" in name
                or _DEVICE.fullmatch(name)
                or (name.endswith((".", " ")) and name != "..")
            ):
                raise HTTPError(404, "a name that is special to Windows in a static path")


def is_inside(path: str, folder: str) -> bool:
    """Say whether an absolute path is a folder or something below it.

    >>> is_inside("/srv/static/a", "/srv/static"), is_inside("/srv/static_a", "/srv/static/")
    (True, False)
    """
    folder = folder.rstrip(os.sep) + os.sep
    return (path + os.sep).startswith(folder)


def join(root: str, path: str) -> str:
    """Return the absolute path of what a URL names below a root.

    Args:
        root: The folder.
        path: Relative to it.

    Raises:
        HTTPError: The path leads out of the root (403), or see `check_url_path`.
    """
    top = absolute_root(root)
    if _PLAIN_PATH.fullmatch(path):  # nothing to be resolved or refused
        return f"{top}{path}" if top.endswith("/") else f"{top}/{path}"
    check_url_path(path)
    absolute = os.path.abspath(os.path.join(root, path))
    if not is_inside(absolute, top):
        raise HTTPError(403, "%s is not in root static directory", path)
    return absolute


def absolute_root(root: str) -> str:
    """Return a root as an absolute path; that of one which is absolute is remembered."""
    return _normalised(root) if os.path.isabs(root) else os.path.abspath(root)


_normalised = functools.lru_cache(maxsize=256)(os.path.abspath)


@functools.lru_cache(maxsize=256)
def _real_root(root: str, second: int) -> str:
    """The root without links, as it is at some second: a link may be changed at any time."""
    return os.path.realpath(root)


def is_allowed(real_path: str, root: str, others: str | Iterable[str] | None) -> bool:
    """Say whether a path without symbolic links is below a root, or below another folder.

    Args:
        real_path: From ``os.path.realpath``, or of an open file.
        root: The root; links that lead to it are followed.
        others: Further folders, one or several, into which links may lead.
    """
    # What was the root within this second is good enough to find a file in it. To refuse one, look.
    if is_inside(real_path, _real_root(root, int(time.monotonic()))):
        return True
    if is_inside(real_path, os.path.realpath(root)):
        return True
    if others is None:
        return False
    folders = (others,) if isinstance(others, str) else others
    return any(is_inside(real_path, os.path.realpath(folder)) for folder in folders)


def slash_added(path: str) -> str:
    """Return where a folder that was asked for without a slash is: the same path with one.

    Several slashes in front would be the name of another host to a browser (RFC 3986 §4.2), and so
    would a backslash.

    >>> slash_added("/docs"), slash_added("//evil.example")
    ('/docs/', '/evil.example/')
    """
    return "/" + path.lstrip("/\\") + "/"
