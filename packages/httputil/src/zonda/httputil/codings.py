"""Content codings by name (RFC 9110 section 8.4.1), and the libraries that know them.

The value of a Content-Encoding field in, names of codings out. zlib is always there; brotli and
zstd are used when installed (``zonda-httputil[brotli]``, ``zonda-httputil[zstd]``; Python 3.14 has
zstd itself) and looked for once, at first use.
"""

import functools
import importlib
from types import ModuleType

__all__ = ["available_codings", "brotli_library", "parse_content_encoding", "zstd_library"]

_ALIASES = {"x-gzip": "gzip"}


def available_codings() -> tuple[str, ...]:
    """Return the codings that can be read and written here, the best for responses first.

    >>> available_codings()[-2:]
    ('gzip', 'deflate')
    """
    found = ["gzip", "deflate"]
    if zstd_library() is not None:
        found.insert(0, "zstd")
    if brotli_library() is not None:
        found.insert(0, "br")
    return tuple(found)


def parse_content_encoding(value: str) -> list[str]:
    """Return the codings that a Content-Encoding field names, in the order they were applied.

    Names are in lower case, ``identity`` and empty list members are left out.

    >>> parse_content_encoding("X-GZip, , br, identity")
    ['gzip', 'br']
    """
    codings = []
    for item in value.split(","):
        coding = item.strip(" \t").lower()
        if coding not in ("", "identity"):
            codings.append(_ALIASES.get(coding, coding))
    return codings


@functools.cache
def brotli_library() -> ModuleType | None:
    """Return the ``brotli`` module if there is one that can bound its output (1.2 and later)."""
    try:
        module = importlib.import_module("brotli")
        # The method came with the bound; without it a few bytes can make gigabytes at once.
        module.Decompressor.can_accept_more_data  # noqa: B018
    except (ImportError, AttributeError):
        return None
    return module


@functools.cache
def zstd_library() -> ModuleType | None:
    """Return ``compression.zstd`` (Python 3.14) or ``backports.zstd``, if there is one."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None
