"""Files that lie compressed beside others: ``site.css.br``, ``.zst`` and ``.gz`` of ``site.css``.

In: a file and the ``Accept-Encoding`` of a request. Out: the file to send and its coding. A variant
counts if it is a regular file, smaller and not older than the file: what an earlier build has left
behind is not sent. Whether it may be served is for the caller to find out, who opens it.
"""

import os
import stat
import time
from typing import Final, NamedTuple

from zonda.httputil.accept import choose_encoding

SUFFIXES: Final = ((".br", "br"), (".zst", "zstd"), (".gz", "gzip"))
"""Suffixes of compressed files and their codings, the dearest first."""


# Files without any variant -> when their folder was changed last, in nanoseconds.
_without: dict[str, int] = {}
_MOST_KNOWN: Final = 10_000
# A folder's time may stand still while it is changed again: this long, to be on the safe side.
_TICK: Final = 3_000_000_000


class Variant(NamedTuple):
    """A file that holds the same as another, encoded."""

    path: str
    coding: str
    size: int


def find_variants(path: str, source: os.stat_result) -> list[Variant]:
    """Return the variants of a file, the smallest first.

    Args:
        path: The file.
        source: What the system says of it.
    """
    try:
        changed = os.stat(os.path.dirname(path)).st_mtime_ns
    except OSError:
        return []
    if _without.get(path) == changed:
        return []
    there = False
    found = []
    for suffix, coding in SUFFIXES:
        try:
            info = os.stat(path + suffix)
        except OSError:
            continue
        there = True
        if (
            stat.S_ISREG(info.st_mode)
            # Tools that keep the time of the original keep whole seconds of it only.
            and int(info.st_mtime) >= int(source.st_mtime)
            and info.st_size < source.st_size
        ):
            found.append(Variant(path + suffix, coding, info.st_size))
    # A file that is not there can only come with a change of the folder. One that is too old, say,
    # may be written again without.
    if not there and time.time_ns() - changed > _TICK:
        if len(_without) >= _MOST_KNOWN:
            _without.clear()
        _without[path] = changed
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
