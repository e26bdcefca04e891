"""`StaticFileHandler`: the files of a folder, or of anything else that an override reads from.

The methods are those that programs override; what they rest on is in the modules beside this one.
As long as an application has not overridden how content is read, files are opened once, sent with
``sendfile`` where that works, and hashed in another thread.
"""

from __future__ import annotations

import datetime
import functools
import mimetypes
import os
import threading
import time
from collections.abc import AsyncIterable, Awaitable, Coroutine, Iterable
from typing import Any, ClassVar, cast

from zonda.httputil.dates import format_timestamp
from zonda.httputil.ranges import format_content_range
from zonda.web.errors import HTTPError
from zonda.web.handler import RequestHandler
from zonda.web.staticfiles import paths
from zonda.web.staticfiles.conditions import (
    precondition_failed,
    range_counts,
    unmodified_since,
)
from zonda.web.staticfiles.hashing import cached_version, prepare_version, url_version
from zonda.web.staticfiles.openfile import OpenFile, read_file
from zonda.web.staticfiles.ranges import Parts, Range, select_ranges
from zonda.web.staticfiles.sending import send_content, send_file
from zonda.web.staticfiles.variants import Variant, choose_variant, find_variants
from zonda.web.staticfiles.versions import Fingerprint, VersionTooLarge, digest, fingerprint
from zonda.web.vary import add_vary


class StaticFileHandler(RequestHandler):
    """Serves the files of a folder.

    A rule's pattern has one group, the path of the file below the folder::

        Application([
            (r"/files/(.*)", StaticFileHandler, {"path": "/srv/files"}),
        ])

    The application's settings ``static_path`` and ``static_url_prefix`` make such a rule, and
    `RequestHandler.static_url` the URLs for it, with a version that lets browsers keep a file for
    ever. GET and HEAD are answered, with ranges (one or several), entity tags and dates; a file
    that lies compressed beside another (``.br``, ``.zst``, ``.gz``, not older) is sent in its place
    to clients that accept it.

    Content from elsewhere than files: override `get_content`, `get_content_size`,
    `get_modified_time`, `get_absolute_path` and `validate_absolute_path`.

    Attributes:
        CACHE_MAX_AGE: Seconds for which a URL with a version may be kept.
        MAX_VERSION_CONTENT_SIZE: Bytes; larger content gets no version and no entity tag.
        MAX_CACHED_VERSIONS: How many versions are remembered.
        precompressed: Whether compressed variants are looked for.
        allowed_symlink_directory: Folders outside the root that symbolic links may lead into.
        root: The folder.
        path: What was asked for, relative to the root, with the system's separators.
        absolute_path: Where that is.
        modified: When it was changed last.
    """

    CACHE_MAX_AGE: int = 86400 * 365 * 10
    MAX_VERSION_CONTENT_SIZE: int = 64 * 1024 * 1024
    MAX_CACHED_VERSIONS: int = 10_000
    precompressed: bool = True
    allowed_symlink_directory: str | list[str] | None = None

    _static_hashes: dict[str, str | None] = {}  # noqa: RUF012 - one for all, emptied by tests
    _fingerprints: ClassVar[dict[str, Fingerprint | None]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()  # of `_static_hashes`

    root: str
    path: str
    absolute_path: str | None
    modified: datetime.datetime | None

    _file: OpenFile | None = None
    _variant: Variant | None = None
    _vary = False
    _info: os.stat_result | None = None
    _etag: str | None = None
    _checked_root: str | None = None
    _type: tuple[str | None, str | None] | None = None

    def initialize(
        self,
        path: str,
        default_filename: str | None = None,
        allowed_symlink_directory: str | list[str] | None = None,
    ) -> None:
        """Take the rule's arguments.

        Args:
            path: The folder.
            default_filename: The file that stands for a folder, such as ``index.html``. A folder
                without a slash at its end is redirected to the URL with one.
            allowed_symlink_directory: Folders outside ``path`` that symbolic links may lead into.
        """
        self.root = path
        self.default_filename = default_filename
        if allowed_symlink_directory is not None:
            self.allowed_symlink_directory = allowed_symlink_directory

    @classmethod
    def reset(cls) -> None:
        """Forget all versions."""
        with cls._lock:
            cls._static_hashes.clear()
            cls._fingerprints.clear()

    # -- requests --------------------------------------------------------------------------------

    def head(self, path: str) -> Awaitable[None]:
        """Answer as `get` does, without the content."""
        return cast("Awaitable[None]", self.get(path, include_body=False))

    async def get(self, path: str, include_body: bool = True) -> None:
        """Send a file.

        Args:
            path: What the rule's group has matched.
            include_body: False for HEAD.
        """
        self.path = self.parse_url_path(path)
        absolute_path = self.get_absolute_path(self.root, self.path)
        try:
            self.absolute_path = self.validate_absolute_path(self.root, absolute_path)
            if self.absolute_path is None:
                return  # it has answered
            if self._reads_files():
                self._choose_file(self.absolute_path)
                if type(self).compute_etag is _compute_etag:  # or perhaps nobody asks
                    await prepare_version(type(self), self._content_path(), self._content_stat())
            elif self._file is not None:  # validated here, read by an override
                self._info = self._file.stat
                self._file.close()
                self._file = None
            self.modified = self.get_modified_time()
            self.set_headers()
            etag = self._headers.get("Etag")
            if precondition_failed(self.request.headers, etag, self.modified):
                raise HTTPError(412)
            if self.should_return_304():
                self.set_status(304)
                return
            await self._send(include_body)
        finally:
            if self._file is not None:
                self._file.close()

    async def _send(self, include_body: bool) -> None:
        size = self.get_content_size()
        ranges: list[Range] | None = []
        # Ranges are defined for GET only (RFC 9110 §14.2).
        if include_body and (wanted := self.request.headers.get("Range")) is not None:
            etag = self._headers.get("Etag")
            if range_counts(self.request.headers, etag, self.modified):
                ranges = select_ranges(wanted, size)
        if ranges is None:
            self.set_status(416)
            self.set_header("Content-Type", "text/plain")
            self.set_header("Content-Range", f"bytes */{size}")
            self.clear_header("Content-Encoding")
            return
        body: Range | Parts = (0, size)
        length = size
        if len(ranges) == 1:
            body = start, end = ranges[0]
            length = end - start
            self.set_status(206)
            self.set_header("Content-Range", format_content_range(start, end, size))
        elif ranges:
            body = Parts(ranges, size, self._headers.get("Content-Type", "text/plain"))
            length = body.length
            self.set_status(206)
            self.set_header("Content-Type", body.content_type)
        self._headers["Content-Length"] = str(length)
        if not include_body:
            return
        if self._file is not None:
            await send_file(self, self._file, body)
            return
        assert self.absolute_path is not None
        if isinstance(body, Parts):
            for head, start, end in body:
                self.write(head)
                await send_content(self, self.get_content(self.absolute_path, start, end))
            self.write(body.end)
        else:
            start_end = body if ranges else (None, None)
            await send_content(self, self.get_content(self.absolute_path, *start_end))

    # -- the head --------------------------------------------------------------------------------

    def set_headers(self) -> None:
        """Set the fields that describe the content: entity tag, dates, type, caching."""
        self.set_header("Accept-Ranges", "bytes")
        self.set_etag_header()
        if self.modified is not None:
            self.set_header("Last-Modified", _http_date(self.modified))
        content_type = self.get_content_type()
        if content_type:
            self.set_header("Content-Type", content_type)
        if self._vary:
            add_vary(self._headers, "Accept-Encoding")
        if self._variant is not None:
            self.set_header("Content-Encoding", self._variant.coding)
        cache_time = self.get_cache_time(self.path, self.modified, content_type)
        if cache_time > 0:
            self.set_header("Expires", format_timestamp(time.time() + cache_time))
            self.set_header("Cache-Control", f"max-age={cache_time}")
        self.set_extra_headers(self.path)

    def compute_etag(self) -> str | None:
        """Return the version as an entity tag; None for content without one."""
        if self._etag is None:  # asked for twice: for the head, and by finish()
            try:
                version = cached_version(type(self), self._content_path(), self._fingerprint())
            except OSError:  # no such file: an overridden get() has its content from elsewhere
                version = None
            self._etag = f'"{version}"' if version else ""
        return self._etag or None

    def should_return_304(self) -> bool:
        """Say whether the client has this content already (RFC 9110 §13.2.2, its last steps)."""
        if self.request.headers.get("If-None-Match"):
            return self.check_etag_header()
        return unmodified_since(self.request.headers, self.modified)

    def set_extra_headers(self, path: str) -> None:
        """A hook for further fields.

        Args:
            path: As ``self.path``.
        """

    def get_cache_time(self, path: str, modified: datetime.datetime | None, mime_type: str) -> int:
        """Return for how many seconds clients may keep the content without asking; a hook.

        `CACHE_MAX_AGE` for URLs with a version, otherwise 0: browsers then guess (RFC 9111 §4.2.2).

        Args:
            path: As ``self.path``.
            modified: When the content was changed last.
            mime_type: Its media type.
        """
        request = self.request
        return self.CACHE_MAX_AGE if request.query and "v" in request.arguments else 0

    # -- paths -----------------------------------------------------------------------------------

    def parse_url_path(self, url_path: str) -> str:
        """Turn the path of a URL into one of the file system; a hook.

        Args:
            url_path: Relative, with slashes.
        """
        return url_path.replace("/", os.path.sep) if os.path.sep != "/" else url_path

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        """Return where something is; a hook, and not only for files: any name will do.

        Args:
            root: The ``path`` argument of the rule, or the setting ``static_path``.
            path: What was asked for.

        Raises:
            HTTPError: It is not below the root (403).
        """
        return paths.join(root, path.replace(os.path.sep, "/"))

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Check that something may be served; a hook.

        Args:
            root: As for `get_absolute_path`.
            absolute_path: Its result.

        Returns:
            The path without links, which may be that of a folder's default file; None if the
            response is complete (a redirect).

        Raises:
            HTTPError: It is not there (404), is outside the root once links are followed, or is no
                regular file (403).
        """
        if not paths.is_inside(absolute_path, paths.absolute_root(root)):
            raise HTTPError(403, "%s is not in root static directory", self.path)
        file = self._open(root, absolute_path)
        if self.default_filename is not None and file.is_folder:
            if not self.request.path.endswith("/"):
                self.redirect(paths.slash_added(self.request.path), permanent=True)
                return None
            file = self._open(root, os.path.join(file.path, self.default_filename))
        if not file.is_regular:
            raise HTTPError(403, "%s is not a file", self.path)
        return file.path

    # -- content ---------------------------------------------------------------------------------

    @classmethod
    def get_content(
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> bytes | Iterable[bytes]:
        """Read content; a hook for content from elsewhere than files.

        Args:
            abspath: From `validate_absolute_path`.
            start: Where to begin, None for the first byte.
            end: Where to stop, this byte excluded; None for the end.

        Returns:
            All of it as bytes, or a generator of pieces. An override may as well be a coroutine or
            an asynchronous generator.
        """
        return read_file(abspath, start or 0, end)

    @classmethod
    def get_content_version(cls, abspath: str) -> str:
        """Return what stands for this very content: a digest; a hook.

        Args:
            abspath: From `get_absolute_path`.

        Raises:
            VersionTooLarge: It has more than `MAX_VERSION_CONTENT_SIZE` bytes.
        """
        limit = cls.MAX_VERSION_CONTENT_SIZE
        if cls._hashes_files() and os.stat(abspath).st_size > limit:
            raise VersionTooLarge(limit)
        content = cls.get_content(abspath)
        if isinstance(content, (Awaitable, AsyncIterable)):
            if isinstance(content, Coroutine):
                content.close()  # nobody will wait for it
            raise TypeError("get_content is asynchronous: override get_content_version, too")
        return digest(content, limit)

    def get_content_size(self) -> int:
        """Return how many bytes there are; a hook."""
        return self._content_stat().st_size

    def get_modified_time(self) -> datetime.datetime | None:
        """Return when the content was changed last, in UTC and whole seconds; a hook."""
        seconds = int(self._source().st_mtime)
        try:
            return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
        except (ValueError, OverflowError, OSError):
            return None  # a time that no calendar has

    def get_content_type(self) -> str:
        """Return the media type, by the name's extension; a hook.

        What is compressed has the type of the compression, because clients shall store it as it
        is: ``application/gzip`` for ``.tar.gz``.
        """
        media_type, encoding = self._guessed_type()
        if encoding == "gzip":
            return "application/gzip"
        if encoding is not None or media_type is None:
            return "application/octet-stream"
        return media_type

    @classmethod
    def _reads_files(cls) -> bool:
        """Whether content is that of the file at ``absolute_path``, read in no special way."""
        return (
            cls.get_content.__func__ is _get_content  # type: ignore[attr-defined]
            and cls.get_content_size is StaticFileHandler.get_content_size
        )

    def _open(self, root: str, path: str) -> OpenFile:
        """Open a file, in place of the one that is open, if it may be served."""
        if self._file is not None:
            self._file.close()
        file = self._file = OpenFile(path, self.path)
        file.path = file.real_path()
        self._checked_root = root
        if not paths.is_allowed(file.path, root, self.allowed_symlink_directory):
            raise HTTPError(403, "%s is not in root static directory", self.path)
        return file

    def _choose_file(self, path: str) -> None:
        """Have the file open that is sent: the one that was validated, or its best variant."""
        file = self._file
        if file is None or file.path != path:  # by an override
            if file is not None:
                file.close()
            file = self._file = OpenFile(path, self.path)
            if not file.is_regular:
                raise HTTPError(403, "%s is not a file", self.path)
        self._info = file.stat
        if not self.precompressed or self._guessed_type()[1] is not None:
            return
        variants = find_variants(path, file.stat)
        if not variants:
            return
        self._vary = True
        variant = choose_variant(variants, self.request.headers.get("Accept-Encoding"))
        if variant is None:
            return
        try:
            # Where an override has validated the file, its folder is all that is known.
            self._open(self._checked_root or os.path.dirname(path), variant.path)
        except HTTPError:
            # It is not there any more, or a link to somewhere else.
            cast("OpenFile", self._file).close()
            self._file = OpenFile(path, self.path)
        else:
            self._variant = variant

    def _guessed_type(self) -> tuple[str | None, str | None]:
        """Media type and encoding by the name."""
        if self._type is None:
            assert self.absolute_path is not None
            self._type = mimetypes.guess_type(self.absolute_path)
        return self._type

    def _content_path(self) -> str:
        assert self.absolute_path is not None
        return self.absolute_path if self._variant is None else self._variant.path

    def _content_stat(self) -> os.stat_result:
        """What the system says of the file that is sent."""
        return self._source() if self._file is None else self._file.stat

    def _source(self) -> os.stat_result:
        """What the system says of the file itself, whichever variant of it is sent."""
        if self._info is None:
            assert self.absolute_path is not None
            self._info = os.stat(self.absolute_path)
        return self._info

    # -- versions --------------------------------------------------------------------------------

    @classmethod
    def make_static_url(
        cls, settings: dict[str, Any], path: str, include_version: bool = True
    ) -> str:
        """Return the URL of a file, for `RequestHandler.static_url`; a hook.

        Args:
            settings: The application's: ``static_url_prefix``, ``static_path``.
            path: The file's, relative to ``static_path``.
            include_version: Whether the URL changes with the content.
        """
        url: str = settings.get("static_url_prefix", "/static/") + path
        version = cls.get_version(settings, path) if include_version else None
        return f"{url}?v={version}" if version else url

    @classmethod
    def get_version(cls, settings: dict[str, Any], path: str) -> str | None:
        """Return the version for the URL of a file; a hook. None: no version.

        Nobody can wait here. A large file is therefore hashed in another thread, and its URL has a
        version once that is done.

        Args:
            settings: The application's.
            path: The file's, relative to ``settings["static_path"]``.
        """
        return url_version(cls, settings, path)

    def _fingerprint(self) -> Fingerprint | None:
        if self._file is not None:
            return fingerprint(self._file.stat)
        return (self.get_modified_time(), self.get_content_size())

    @classmethod
    def _hashes_files(cls) -> bool:
        """Whether versions are digests of files, and may be computed in any thread."""
        return (
            cls.get_content.__func__ is _get_content  # type: ignore[attr-defined]
            and cls.get_content_version.__func__ is _get_content_version  # type: ignore[attr-defined]
        )


_compute_etag = StaticFileHandler.compute_etag
_get_content = StaticFileHandler.get_content.__func__  # type: ignore[attr-defined]
_get_content_version = StaticFileHandler.get_content_version.__func__  # type: ignore[attr-defined]


_http_date = functools.lru_cache(format_timestamp)
