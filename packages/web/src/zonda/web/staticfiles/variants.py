"""Files that lie compressed beside others: ``site.css.br``, ``.zst`` and ``.gz`` of ``site.css``.

In: a file and the ``Accept-Encoding`` of a request. Out: the file to send and its coding. A variant
counts if it may be served (the rules for links are those of the file itself), is a regular file,
and is not older than the file: what an earlier build has left behind is not sent.
"""

import os
import stat
from collections.abc import Callable
from typing import Final, NamedTuple

from zonda.httputil.accept import choose_encoding

SUFFIXES: Final = ((".br", "br"), (".zst", "zstd"), (".gz", "gzip"))


class Variant(NamedTuple):
    """A file that holds the same as another, encoded."""

    path: str
    coding: str
    size: int


def find_variants(
    path: str, source: os.stat_result, allowed: Callable[[str], bool]
) -> list[Variant]:
    """Return the variants of a file, the smallest first.

    Args:
        path: The file.
        source: What the system says of it.
        allowed: Whether the file at a path may be served.
    """
    found = []
    for suffix, coding in SUFFIXES:
        try:
            info = os.stat(path + suffix)
        except OSError:
            continue
        if (
            stat.S_ISREG(info.st_mode)
            # Tools that keep the time of the original keep whole seconds of it only.
            and int(info.st_mtime) >= int(source.st_mtime)
            and info.st_size < source.st_size
            and allowed(path + suffix)
        ):
            found.append(Variant(path + suffix, coding, info.st_size))
    found.sort(key=lambda each: each.size)
    return found


def choose_variant(variants: list[Variant], accept_encoding: str | None) -> Variant | None:
    """Return the variant to send, None for the file itself.

    Args:
        variants: From `find_variants`.
        accept_encoding: The field of the request.
    """
    coding = choose_encoding(accept_encoding, [each.coding for each in variants])
    return next((each for each in variants if each.coding == coding), None)
