"""What version of its content a file has: a digest, computed once and remembered.

In: chunks of content; a path and what the system says of the file. Out: hexadecimal text. A version
is remembered with the size, the time and the number of the file, so that a changed file gets a new
one. Plain dictionaries, which programs and tests empty or replace, hold it all.
"""

import hashlib
import os
from collections.abc import Iterable
from typing import Any, Final

Fingerprint = tuple[Any, ...]

UNKNOWN: Final = object()


class VersionTooLarge(Exception):
    """There is more content than is worth a digest.

    Attributes:
        limit: How much would have been, in bytes.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"content is larger than MAX_VERSION_CONTENT_SIZE ({self.limit} bytes)"


def digest(chunks: bytes | Iterable[bytes], limit: int) -> str:
    """Return the SHA-512 of some content, which is what Tornado uses: URLs and caches stay valid.

    Args:
        chunks: The content.
        limit: Of so many bytes at most.

    Raises:
        VersionTooLarge: There are more.

    >>> digest([b"a", b"b"], 10) == digest(b"ab", 10)
    True
    """
    total = hashlib.sha512(usedforsecurity=False)
    size = 0
    for chunk in (chunks,) if isinstance(chunks, bytes) else chunks:
        size += len(chunk)
        if size > limit:
            raise VersionTooLarge(limit)
        total.update(chunk)
    return total.hexdigest()


def fingerprint(stat: os.stat_result) -> Fingerprint:
    """Return what changes whenever a file does."""
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_dev)


class Versions:
    """Remembers versions.

    Args:
        versions: Path -> version; None for content without one. May be filled by others.
        fingerprints: Path -> what the file was like then.

    >>> versions = Versions({}, {})
    >>> versions.put("/a", "1234", (1,), 10)
    >>> versions.get("/a", (1,)), versions.get("/a", (2,)) is UNKNOWN
    ('1234', True)
    """

    __slots__ = ("_fingerprints", "_versions")

    def __init__(
        self, versions: dict[str, str | None], fingerprints: dict[str, Fingerprint | None]
    ) -> None:
        self._versions = versions
        self._fingerprints = fingerprints

    def get(self, path: str, now: Fingerprint | None) -> object:
        """Return the version of a file, `UNKNOWN` if it has to be computed.

        Args:
            path: Its path.
            now: Its `fingerprint`; None if nothing is known of it: any version will do.
        """
        version = self._versions.get(path, UNKNOWN)
        if version is UNKNOWN or now is None:
            return version
        # A version without a fingerprint was put there by somebody who knows.
        known = self._fingerprints.get(path, UNKNOWN)
        return version if known is UNKNOWN or known == now else UNKNOWN

    def put(self, path: str, version: str | None, now: Fingerprint | None, limit: int) -> None:
        """Remember a version, and forget the oldest ones above ``limit``."""
        versions = self._versions
        versions.pop(path, None)
        versions[path] = version
        self._fingerprints[path] = now
        while len(versions) > limit:
            oldest = next(iter(versions))
            del versions[oldest]
            self._fingerprints.pop(oldest, None)
        if len(self._fingerprints) > 2 * len(versions) + 8:  # somebody has emptied the other
            for each in [each for each in self._fingerprints if each not in versions]:
                del self._fingerprints[each]
