"""When a version is computed, and where: the hook that computes it may read all of a file.

In: a class of `StaticFileHandler`, whose hooks say what content is, and a path. Out: a version, or
None for content without one. Small files are hashed on the spot, larger ones in another thread:
`prepare_version` waits for that, and `url_version`, for which nobody can wait, leaves the version
out until it is there. Errors of reading are logged once, not raised.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Final, cast

from zonda.ioloop.log import gen_log
from zonda.web.errors import HTTPError
from zonda.web.staticfiles.versions import (
    UNKNOWN,
    Fingerprint,
    Versions,
    VersionTooLarge,
    fingerprint,
)

if TYPE_CHECKING:
    from zonda.web.staticfiles.handler import StaticFileHandler

HASH_AT_ONCE: Final = 64 * 1024
"""Bytes up to which a file is hashed on the spot: about what the way to a thread costs."""

HASH_IN_URL: Final = 1024 * 1024
"""The same where nobody can wait: 2 ms."""

# What is being computed: whoever asks for the same waits for the same.
_running: dict[tuple[asyncio.AbstractEventLoop, str, Fingerprint], asyncio.Future[str | None]] = {}


def cached_version(
    handler_class: type[StaticFileHandler], path: str, now: Fingerprint | None
) -> str | None:
    """Return the version of what is at a path, computing it if it is not known.

    Args:
        handler_class: Whose ``get_content_version`` computes it.
        path: The path.
        now: What the content is like; None if that is not known.
    """
    key = _key(handler_class, path)
    with handler_class._lock:
        version = _versions(handler_class).get(key, now)
    if version is UNKNOWN:
        try:
            version = handler_class.get_content_version(path)
        except VersionTooLarge as error:
            gen_log.info("No version for %r: %s", path, error)
            version = None
        except (OSError, ValueError, HTTPError) as error:
            gen_log.error("Could not open static file %r: %s", path, error)
            version = None
        with handler_class._lock:
            _versions(handler_class).put(key, version, now, handler_class.MAX_CACHED_VERSIONS)
    return cast("str | None", version)


async def prepare_version(
    handler_class: type[StaticFileHandler], path: str, info: os.stat_result
) -> None:
    """Have the version of a large file computed before anybody asks for it."""
    now = fingerprint(info)
    if info.st_size > HASH_AT_ONCE and not is_known(handler_class, path, now):
        work = _start(asyncio.get_running_loop(), handler_class, path, now)
        await asyncio.shield(work)  # others may wait for it, too


def url_version(
    handler_class: type[StaticFileHandler], settings: dict[str, Any], path: str
) -> str | None:
    """Return the version of a file for its URL; arguments as for ``get_version``."""
    absolute = handler_class.get_absolute_path(settings["static_path"], path)
    try:
        info = os.stat(absolute)
    except (OSError, ValueError):  # no such file: content from elsewhere, or none
        return cached_version(handler_class, absolute, None)
    now = fingerprint(info)
    if info.st_size > HASH_IN_URL and not is_known(handler_class, absolute, now):
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            pass  # nobody is kept waiting
        else:
            _start(loop, handler_class, absolute, now)
            return None
    return cached_version(handler_class, absolute, now)


def _start(
    loop: asyncio.AbstractEventLoop,
    handler_class: type[StaticFileHandler],
    path: str,
    now: Fingerprint,
) -> asyncio.Future[str | None]:
    key = (loop, path, now)
    work = _running.get(key)
    if work is None:
        work = loop.run_in_executor(None, cached_version, handler_class, path, now)
        _running[key] = work
        work.add_done_callback(lambda _: _running.pop(key, None))
    return work


def is_known(handler_class: type[StaticFileHandler], path: str, now: Fingerprint) -> bool:
    """Whether no other thread is needed: the version is there, or an override computes it."""
    if not handler_class._hashes_files():
        return True
    return _versions(handler_class).get(path, now) is not UNKNOWN


def _versions(handler_class: type[StaticFileHandler]) -> Versions:
    return Versions(handler_class._static_hashes, handler_class._fingerprints)


def _key(handler_class: type[StaticFileHandler], path: str) -> str:
    # Under an override other content may have the same path.
    if handler_class._hashes_files():
        return path
    return f"{handler_class.__module__}.{handler_class.__qualname__}:{path}"
