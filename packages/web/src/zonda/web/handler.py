"""`RequestHandler`: one request, seen from the application.

This is the API page: each method documents what it does and leaves the work to a small module of
its own (arguments, cookies, entity tags, error pages), which is tested without a server. A request
pays only for what it uses.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Iterable
from http.cookies import Morsel, SimpleCookie
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast, overload

from zonda.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest
from zonda.httputil.escape import json_encode, xhtml_escape
from zonda.ioloop.util import ObjectDict
from zonda.web import (
    course,
    departure,
    failures,
    pageparts,
    redirects,
    rendering,
    response,
    signedcookies,
    xsrf,
)
from zonda.web.acceptlanguage import browser_locale
from zonda.web.arguments import REQUIRED, Required, all_values, checked_flag, last_value
from zonda.web.cookiejar import CookieJar
from zonda.web.defaultheaders import default_headers, is_json_now
from zonda.web.errorpage import reason_phrase, safe_reason
from zonda.web.errors import HTTPError
from zonda.web.etag import client_has, tag_of
from zonda.web.headervalue import HeaderValue, header_value
from zonda.web.later import Later
from zonda.web.middleware import run_inside
from zonda.web.signedvalues import get_signature_key_version
from zonda.web.sse import HEARTBEAT, EventStream
from zonda.web.uimodules import UIModule, ui_namespace

if TYPE_CHECKING:
    from zonda.iostream import IOStream
    from zonda.web.application import Application
    from zonda.web.locale import Locale
    from zonda.web.template import BaseLoader
    from zonda.web.transforms import OutputTransform

T = TypeVar("T")

Method = Callable[..., Awaitable[None] | None]

_UNASKED = object()


class RequestHandler:
    """Handles a request: make a subclass and define ``get``, ``post`` or another method.

    A new object is made for each request. Methods may be ``async``; the request is finished when
    they return. The order is `initialize`, `prepare`, the method, `on_finish`.

    Args:
        application: The application, whose ``settings`` are shared.
        request: The request.
        **kwargs: The rule's arguments, passed to `initialize`.
    """

    SUPPORTED_METHODS: ClassVar[tuple[str, ...]] = (
        "GET",
        "HEAD",
        "POST",
        "DELETE",
        "PATCH",
        "PUT",
        "OPTIONS",
    )

    _ARG_DEFAULT: ClassVar[Required] = REQUIRED  # not for new programs: old overrides repeat it

    # State that most requests leave as it is lives in the class until it changes.
    _headers_written = False
    _finished = False
    _auto_finish = True
    _stream_request_body = False
    _prepared_future: asyncio.Future[None] | None = None
    _jar: CookieJar | None = None
    _ui: ObjectDict | None = None
    _active_modules: dict[str, UIModule] | None = None
    _templates_fresh = False
    _versions_fresh = False
    _template_loaders: ClassVar[dict[str, BaseLoader]] = {}
    _xsrf_secret: xsrf.XsrfToken | None = None
    _transforms: list[OutputTransform] | tuple[()] = ()
    _later: Later | None = None

    path_args: list[str]
    path_kwargs: dict[str, str]
    # Programs ask with hasattr() whether these are known yet.
    _current_user: Any
    _locale: Locale
    _xsrf_token: bytes
    _status_code: int
    _reason: str
    _headers: HTTPHeaders
    _write_buffer: list[bytes]

    def __init__(self, application: Application, request: HTTPServerRequest, **kwargs: Any) -> None:
        self.application = application
        self.request = request
        # Defaults of the class, too; asked for so often that a look-up there would cost more.
        self._finished = self._headers_written = False
        self.clear()
        if kwargs:
            self.initialize(**kwargs)
        else:
            self.initialize()

    def _initialize(self) -> None:
        pass

    initialize: Callable[..., None] = _initialize
    """A hook: takes the rule's arguments. ``__init__`` is not meant to be overridden."""

    @property
    def settings(self) -> dict[str, Any]:
        """The application's settings."""
        return self.application.settings

    def _unimplemented_method(self, *args: str, **kwargs: str) -> None:
        raise HTTPError(405)

    head: Method = _unimplemented_method
    get: Method = _unimplemented_method
    post: Method = _unimplemented_method
    delete: Method = _unimplemented_method
    patch: Method = _unimplemented_method
    put: Method = _unimplemented_method
    options: Method = _unimplemented_method

    # -- hooks -----------------------------------------------------------------------------------

    def prepare(self) -> Awaitable[None] | None:
        """Run before the method, whichever it is. May be ``async``, and may finish the request."""

    def on_finish(self) -> None:
        """Run after the response has been handed to the connection. Nothing can be sent here."""

    def on_connection_close(self) -> None:
        """Run when the client is gone before the response is finished.

        Always called, soon after the disconnect, however the handler waits. The default fails a
        body that is being streamed in, so that a waiting handler gets `StreamClosedError`.
        """
        if self._stream_request_body:
            departure.fail_body(self)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Take a piece of the body, in a handler with `stream_request_body`.

        Args:
            chunk: Some bytes. The next piece waits for what is returned, if it is awaitable.
        """
        raise NotImplementedError(f"{type(self).__name__} must override data_received()")

    # -- arguments -------------------------------------------------------------------------------

    @overload
    def get_argument(self, name: str, default: str, strip: bool = True) -> str: ...

    @overload
    def get_argument(self, name: str, default: Required = REQUIRED, strip: bool = True) -> str: ...

    @overload
    def get_argument(self, name: str, default: T, strip: bool = True) -> str | T: ...

    def get_argument(
        self, name: str, default: T | Required = REQUIRED, strip: bool = True
    ) -> str | T:
        """Return an argument of the query or the body; the last one if there are several.

        Args:
            name: The argument's name.
            default: Returned when it is not there; without it that is an error.
            strip: Whether white space at both ends goes.

        Raises:
            MissingArgumentError: It is not there (400).
        """
        return last_value(self.request.arguments, name, default, strip, self.decode_argument)

    def get_arguments(self, name: str, strip: bool = True) -> list[str]:
        """Return all values of an argument of the query or the body, in order."""
        return all_values(self.request.arguments, name, checked_flag(strip), self.decode_argument)

    @overload
    def get_query_argument(self, name: str, default: str, strip: bool = True) -> str: ...

    @overload
    def get_query_argument(
        self, name: str, default: Required = REQUIRED, strip: bool = True
    ) -> str: ...

    @overload
    def get_query_argument(self, name: str, default: T, strip: bool = True) -> str | T: ...

    def get_query_argument(
        self, name: str, default: T | Required = REQUIRED, strip: bool = True
    ) -> str | T:
        """As `get_argument`, from the query only."""
        return last_value(self.request.query_arguments, name, default, strip, self.decode_argument)

    def get_query_arguments(self, name: str, strip: bool = True) -> list[str]:
        """As `get_arguments`, from the query only."""
        return all_values(
            self.request.query_arguments, name, checked_flag(strip), self.decode_argument
        )

    @overload
    def get_body_argument(self, name: str, default: str, strip: bool = True) -> str: ...

    @overload
    def get_body_argument(
        self, name: str, default: Required = REQUIRED, strip: bool = True
    ) -> str: ...

    @overload
    def get_body_argument(self, name: str, default: T, strip: bool = True) -> str | T: ...

    def get_body_argument(
        self, name: str, default: T | Required = REQUIRED, strip: bool = True
    ) -> str | T:
        """As `get_argument`, from the body only."""
        return last_value(self.request.body_arguments, name, default, strip, self.decode_argument)

    def get_body_arguments(self, name: str, strip: bool = True) -> list[str]:
        """As `get_arguments`, from the body only."""
        return all_values(
            self.request.body_arguments, name, checked_flag(strip), self.decode_argument
        )

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Turn an argument, or a group of the path, into text: a hook for other encodings.

        Args:
            value: The percent-decoded bytes; None for a group that took no part in the match.
            name: The argument's name; None for an unnamed group of the path.

        Returns:
            The text; None for None (the signature leaves that out, as most overrides do).

        Raises:
            HTTPError: They are not UTF-8 (400).
        """
        if value is None:
            return cast(str, None)  # type: ignore[unreachable]
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise HTTPError(400, "Invalid unicode in %s: %r", name or "url", value[:40]) from error

    # -- cookies ---------------------------------------------------------------------------------

    @property
    def cookies(self) -> SimpleCookie | dict[str, Morsel[str]]:
        """The cookies of the request."""
        return self.request.cookies

    @property
    def _new_cookies(self) -> CookieJar:
        if self._jar is None:
            self._jar = CookieJar()
        return self._jar

    @overload
    def get_cookie(self, name: str, default: str) -> str: ...

    @overload
    def get_cookie(self, name: str, default: str | None = None) -> str | None: ...

    def get_cookie(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a cookie of the request, ``default`` if it is not there."""
        morsel = self.request.cookies.get(name)
        return default if morsel is None else morsel.value

    def set_cookie(
        self,
        name: str,
        value: str | bytes,
        domain: str | None = None,
        expires: float | tuple[int, ...] | datetime.datetime | None = None,
        path: str = "/",
        expires_days: float | None = None,
        *,
        max_age: int | None = None,
        httponly: bool = False,
        secure: bool = False,
        samesite: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Send a cookie with the response (RFC 6265 §4.1).

        Args:
            name: A token.
            value: Its value, without spaces and control characters; quoted if it has to be.
            domain: ``Domain``: also for the hosts below it.
            expires: ``Expires``: seconds since 1970, a time tuple, or a datetime.
            path: ``Path``.
            expires_days: ``Expires`` as a number of days from now.
            max_age: ``Max-Age`` in seconds.
            httponly: Hide it from scripts.
            secure: Send it over HTTPS only.
            samesite: ``Strict``, ``Lax`` or ``None``.
            **kwargs: Other attributes, such as ``partitioned=True``.

        Raises:
            ValueError: A character that could break out of the cookie, anywhere in it.
        """
        self._new_cookies.set(
            name,
            value,
            domain=domain,
            expires=expires,
            path=path,
            expires_days=expires_days,
            max_age=max_age,
            httponly=httponly,
            secure=secure,
            samesite=samesite,
            **kwargs,
        )

    def clear_cookie(
        self, name: str, path: str = "/", domain: str | None = None, **kwargs: Any
    ) -> None:
        """Make the client forget a cookie.

        Args:
            name: Its name.
            path: The one it was set with.
            domain: The one it was set with.
            **kwargs: Others it was set with, as for `set_cookie`; no ``expires``, no ``max_age``.

        Raises:
            TypeError: ``expires`` or ``max_age`` is given.
        """
        self._new_cookies.clear(name, path=path, domain=domain, **kwargs)

    def clear_all_cookies(self, path: str = "/", domain: str | None = None, **kwargs: Any) -> None:
        """Make the client forget every cookie it has sent with this request.

        Args:
            path: The one they were set with.
            domain: The one they were set with.
            **kwargs: As for `clear_cookie`.
        """
        for name in self.request.cookies:
            self.clear_cookie(name, path=path, domain=domain, **kwargs)

    # -- signed cookies --------------------------------------------------------------------------

    def set_signed_cookie(
        self,
        name: str,
        value: str | bytes,
        expires_days: float | None = 30,
        version: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Send a cookie that the client can read and send back, but not change.

        Needs the setting ``cookie_secret``: a key, or a dictionary of keys by version numbers of
        which the setting ``key_version`` names the one that signs.

        Args:
            name: Its name, which is signed as well.
            value: Its value; bytes need not be text.
            expires_days: ``Expires``; None for a cookie of the browser's session. The time is
                signed too: see ``max_age_days`` of `get_signed_cookie`.
            version: The format (see `zonda.web.signedvalues`).
            **kwargs: As for `set_cookie`.
        """
        signed = self.create_signed_value(name, value, version=version)
        self.set_cookie(name, signed, expires_days=expires_days, **kwargs)

    set_secure_cookie = set_signed_cookie
    """The older name."""

    def create_signed_value(
        self, name: str, value: str | bytes, version: int | None = None
    ) -> bytes:
        """Sign a value as `set_signed_cookie` does, to be sent by other means.

        Args:
            name: What it is the value of.
            value: The value.
            version: The format.
        """
        return signedcookies.sign(self, name, value, version)

    def get_signed_cookie(
        self,
        name: str,
        value: str | None = None,
        max_age_days: float = 31,
        min_version: int | None = None,
    ) -> bytes | None:
        """Return the value of a signed cookie; None for one that is missing, forged or too old.

        Args:
            name: Its name.
            value: The signed text, if it has not come as a cookie.
            max_age_days: Those that were signed more days ago are too old.
            min_version: The oldest format to accept.
        """
        return signedcookies.verify(self, name, value, max_age_days, min_version)

    get_secure_cookie = get_signed_cookie
    """The older name."""

    def get_signed_cookie_key_version(self, name: str, value: str | None = None) -> int | None:
        """Return the version of the key that a signed cookie says it is signed with.

        Args:
            name: Its name.
            value: The signed text, if it has not come as a cookie.
        """
        self.require_setting("cookie_secret", "signed cookies")
        return get_signature_key_version(self.get_cookie(name) if value is None else value)

    get_secure_cookie_key_version = get_signed_cookie_key_version
    """The older name."""

    # -- users -----------------------------------------------------------------------------------

    @property
    def current_user(self) -> Any:
        """Whoever is logged in, as `get_current_user` says, which is asked once a request.

        May be set, for example by a `prepare` that had to wait for a database.
        """
        user = getattr(self, "_current_user", _UNASKED)
        if user is _UNASKED:
            user = self._current_user = self.get_current_user()
        return user

    @current_user.setter
    def current_user(self, value: Any) -> None:
        self._current_user = value

    def get_current_user(self) -> Any:
        """Say who is logged in, from a cookie for example: a hook. Anything false is nobody."""
        return None

    def get_login_url(self) -> str:
        """Return where `authenticated` sends others to: a hook; the setting ``login_url``."""
        self.require_setting("login_url", "@authenticated")
        url: str = self.settings["login_url"]
        return url

    # -- language --------------------------------------------------------------------------------

    @property
    def locale(self) -> Locale:
        """The language to answer in: `get_user_locale`, otherwise `get_browser_locale`.

        Asked once a request; may be set.
        """
        locale: Locale | None = getattr(self, "_locale", None)
        if locale is None:
            locale = self._locale = self.get_user_locale() or self.get_browser_locale()
        return locale

    @locale.setter
    def locale(self, value: Locale) -> None:
        self._locale = value

    def get_user_locale(self) -> Locale | None:
        """Return the language that `current_user` has chosen, None if none: a hook."""
        return None

    def get_browser_locale(self, default: str = "en_US") -> Locale:
        """Return the best known language of the field ``Accept-Language`` (RFC 9110 §12.5.4).

        Args:
            default: The code for clients that name none that is known.
        """
        return browser_locale(self.request.headers.get("Accept-Language"), default)

    # -- forged requests -------------------------------------------------------------------------

    @property
    def xsrf_token(self) -> bytes:
        """The token that this user's requests have to carry, for the argument ``_xsrf``.

        A cookie is set with the first one. The text differs from response to response; all that
        are made of one cookie's token are valid (see `zonda.web.xsrf`). Settings:
        ``xsrf_cookie_version`` (2), ``xsrf_cookie_name`` (``"_xsrf"``), ``xsrf_cookie_kwargs``
        (arguments of `set_cookie`).
        """
        token: bytes | None = getattr(self, "_xsrf_token", None)
        if token is None:
            token = self._xsrf_token = xsrf.issue(self)
        return token

    def check_xsrf_cookie(self) -> None:
        """Refuse a request that does not repeat the token of its cookie: a hook.

        With the setting ``xsrf_cookies`` it is called before `prepare` for every method but GET,
        HEAD and OPTIONS. The token is the argument ``_xsrf`` (of the query, or of a form that has
        been read), or the field ``X-Xsrftoken`` or ``X-Csrftoken``.

        Raises:
            HTTPError: 403: the token is missing or wrong.
        """
        xsrf.check(self)

    def xsrf_form_html(self) -> str:
        """Return the hidden input with the token, for forms sent with POST."""
        return f'<input type="hidden" name="_xsrf" value="{xhtml_escape(self.xsrf_token)}"/>'

    def check_trusted_origin(self, origin: str) -> bool:
        """Say whether pages of another origin may send requests that change something: a hook.

        Asked with the setting ``cross_origin_protection`` for every method but GET, HEAD and
        OPTIONS, and for WebSockets, where the request is not known to be of this site. The default
        looks into the setting ``trusted_origins``.

        Args:
            origin: Scheme, host and port as the browser sends them: ``"https://a.example"``.
        """
        return origin in self.settings.get("trusted_origins", ())

    # -- the response's head ---------------------------------------------------------------------

    def clear(self) -> None:
        """Begin the response anew: default headers, status 200, no content."""
        self._headers = default_headers()
        self._write_buffer = []
        self._status_code = 200
        self._reason = "OK"
        self.set_default_headers()

    def set_default_headers(self) -> None:
        """A hook for headers of every response of this class, error pages included."""

    def set_status(self, status_code: int, reason: str | None = None) -> None:
        """Set the status.

        Args:
            status_code: The code.
            reason: The reason phrase in place of the usual one. One with characters that may not
                be sent becomes ``Unknown``.
        """
        self._status_code = status_code
        self._reason = reason_phrase(status_code) if reason is None else safe_reason(reason)

    def get_status(self) -> int:
        """Return the status code as it stands."""
        return self._status_code

    def set_header(self, name: str, value: HeaderValue) -> None:
        """Set a header, in place of any of that name.

        Args:
            name: Its name.
            value: Text, or bytes, a number, or a datetime, which becomes an HTTP date.

        Raises:
            ValueError: It has a control character.
            TypeError: It is of another type.
        """
        try:
            self._headers[name] = header_value(value)
        except HTTPInputError as error:  # whose fault is ours, not the peer's
            raise ValueError(str(error)) from error

    def add_header(self, name: str, value: HeaderValue) -> None:
        """Add a header beside those of that name; arguments as for `set_header`."""
        try:
            self._headers.add(name, header_value(value))
        except HTTPInputError as error:
            raise ValueError(str(error)) from error

    def clear_header(self, name: str) -> None:
        """Remove what `set_header` has set."""
        if name in self._headers:
            del self._headers[name]

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:
        """Send the client elsewhere, and finish.

        Args:
            url: Where to; may be relative to this request's.
            permanent: 301 in place of 302.
            status: Any 3xx in place of both.

        Raises:
            RuntimeError: The head is out already.
        """
        redirects.send(self, url, permanent, status)

    # -- the response's body ---------------------------------------------------------------------

    def write(self, chunk: str | bytes | dict[str, Any]) -> None:
        """Add to the response; nothing is sent before `flush` or `finish`.

        Args:
            chunk: Bytes; text, sent as UTF-8; or a dictionary, sent as JSON with
                ``Content-Type: application/json``. Lists are refused: old browsers run them as
                scripts. Wrap them in a dictionary.

        Raises:
            RuntimeError: The response is finished.
            TypeError: It is of another type.
        """
        if self._finished:
            raise RuntimeError("Cannot write() after finish()")
        if isinstance(chunk, str):
            self._write_buffer.append(chunk.encode("utf-8"))
            return
        if isinstance(chunk, dict):
            self._write_buffer.append(json_encode(chunk).encode("utf-8"))
            # The quick way goes where the other one would, if nobody has had a hand in it.
            if type(self).set_header is not _set_header or not is_json_now(self._headers):
                self.set_header("Content-Type", "application/json; charset=UTF-8")
            return
        if not isinstance(chunk, bytes):
            response.refuse_chunk(chunk)
        self._write_buffer.append(chunk)

    def flush(
        self, include_footers: bool = False, callback: Callable[[], object] | None = None
    ) -> asyncio.Future[None]:
        """Send what has been written, before the response is complete.

        Args:
            include_footers: Whether this is the end (`finish` says so).
            callback: Legacy: called, on the loop, when the future is done.

        Returns:
            A future that is done when more can be sent without piling up: waiting for it keeps
            memory bounded with slow clients. It has `StreamClosedError` if the client is gone.
        """
        return response.flush(self, include_footers, callback)

    def _prepare_head(self, chunk: bytes, finishing: bool) -> bytes:
        return response.prepare_head(self, chunk, finishing)

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> asyncio.Future[None]:
        """Complete the response.

        Args:
            chunk: Written first (see `write`).

        Returns:
            As `flush`.

        Raises:
            RuntimeError: It is finished already, or has a body with a status that has none.
        """
        if self._finished:
            raise RuntimeError("finish() called twice")
        if chunk is not None:
            self.write(chunk)
        connection: Any = self.request.connection
        if self._headers_written:
            future = response.finish_begun(self, connection)
        else:
            future = response.finish_whole(self, connection, type(self).flush is not _flush)
        self._end()
        return future

    def sse(
        self, *, retry: float | None = None, heartbeat: float | None = HEARTBEAT
    ) -> EventStream:
        """Make the response a stream of server-sent events, for an ``async with`` block.

        See `zonda.web.sse`. The block ends when the client goes.

        Args:
            retry: Seconds the client shall wait before it comes back.
            heartbeat: Seconds of silence after which a comment is sent; None for none.
        """
        return EventStream(self, retry=retry, heartbeat=heartbeat)

    def detach(self) -> IOStream:
        """Take the connection's stream; the server has nothing more to do with it."""
        self._finished = True
        connection: Any = self.request.connection
        return cast("IOStream", connection.detach())

    # -- pages -----------------------------------------------------------------------------------

    def render(self, template_name: str, **kwargs: Any) -> asyncio.Future[None]:
        """Finish with a template's output, as `render_string` makes it.

        What its UI modules need is put into its head and before its end.

        Args:
            template_name: The template.
            **kwargs: Its names.

        Returns:
            As `finish` does.

        Raises:
            RuntimeError: The response is finished.
        """
        return rendering.finish_page(self, self.render_string(template_name, **kwargs))

    async def render_async(self, template_name: str, **kwargs: Any) -> None:
        """As `render`, for a template with ``await`` in it."""
        template = rendering.loader_of(self).load(template_name)
        page = await template.generate_async(**{**self.get_template_namespace(), **kwargs})
        await rendering.finish_page(self, page)

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        """Return a template's output.

        Templates are found in `get_template_path`, by the setting ``template_loader`` or
        `create_template_loader`.

        Args:
            template_name: The template.
            **kwargs: Its names, beside those of `get_template_namespace`.
        """
        template = rendering.loader_of(self).load(template_name)
        return template.generate(**{**self.get_template_namespace(), **kwargs})

    def get_template_namespace(self) -> dict[str, Any]:
        """Return the names that every template can use: a hook.

        They are ``handler``, ``request``, ``current_user``, ``locale``, ``_`` (translates) and
        ``pgettext``, ``static_url``, ``xsrf_form_html``, ``reverse_url``, ``modules``, and the
        application's UI methods.
        """
        return rendering.namespace_of(self)

    def get_template_path(self) -> str | None:
        """Return the folder of the templates: a hook; the setting ``template_path``.

        None stands for the folder of the file that calls `render`.
        """
        return self.settings.get("template_path")

    def create_template_loader(self, template_path: str) -> BaseLoader:
        """Return a new loader for a folder: a hook. It is kept for later requests.

        The settings ``autoescape`` and ``template_whitespace`` are passed on.

        Args:
            template_path: The folder.
        """
        return rendering.create_loader(self.settings, template_path)

    def render_linked_js(self, js_files: Iterable[str]) -> str:
        """Return the markup of UI modules' scripts: a hook.

        Args:
            js_files: Paths for `static_url`, or absolute ones.
        """
        return pageparts.linked_scripts(pageparts.urls(js_files, self.static_url))

    def render_embed_js(self, js_embed: Iterable[bytes]) -> bytes:
        """Return the markup of UI modules' embedded scripts: a hook."""
        return pageparts.embedded_scripts(js_embed)

    def render_linked_css(self, css_files: Iterable[str]) -> str:
        """Return the markup of UI modules' style sheets: a hook.

        Args:
            css_files: Paths for `static_url`, or absolute ones.
        """
        return pageparts.linked_styles(pageparts.urls(css_files, self.static_url))

    def render_embed_css(self, css_embed: Iterable[bytes]) -> bytes:
        """Return the markup of UI modules' embedded styles: a hook."""
        return pageparts.embedded_styles(css_embed)

    @property
    def ui(self) -> ObjectDict:
        """The application's UI methods, bound to this handler, and ``modules``."""
        if self._ui is None:
            application = self.application
            self._ui = ui_namespace(self, application.ui_modules, application.ui_methods)
        return self._ui

    def static_url(self, path: str, include_host: bool | None = None, **kwargs: Any) -> str:
        """Return the URL of a static file, with its version so that clients can keep it.

        Needs the setting ``static_path``.

        Args:
            path: The file's path below it.
            include_host: Whether the URL has a scheme and host; None: as the handler's attribute
                ``include_host`` says, otherwise not.
            **kwargs: As for ``make_static_url`` of the setting ``static_handler_class``
                (``include_version``).

        Raises:
            HTTPError: The path leads out of the folder (403).
        """
        return rendering.static_url(self, path, include_host, kwargs)

    # -- entity tags -----------------------------------------------------------------------------

    def compute_etag(self) -> str | None:
        """Return the entity tag of what has been written; a hook: None for no tag.

        A strong tag (RFC 9110 §8.8.3) of its SHA-1, which is what clients of a service that ran
        on Tornado have in their caches.
        """
        return tag_of(self._write_buffer)

    def set_etag_header(self) -> None:
        """Set ``Etag`` to what `compute_etag` returns."""
        etag = self.compute_etag()
        if etag is not None:
            self._headers._put("Etag", etag)

    def check_etag_header(self) -> bool:
        """Say whether the client has this version (``If-None-Match``, RFC 9110 §13.1.2)."""
        condition = self.request.headers.get("If-None-Match")
        if not condition:
            return False
        etag = self._headers.get("Etag")
        return etag is not None and client_has(condition, etag)

    # -- errors ----------------------------------------------------------------------------------

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Send an error page in place of what has been written.

        Args:
            status_code: The status.
            **kwargs: Passed to `write_error`; ``exc_info`` if an exception is the reason;
                ``reason`` for another reason phrase.
        """
        failures.send(self, status_code, kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write the page of an error: a hook.

        With the setting ``serve_traceback``, which ``debug`` sets, it tells of the exception, as
        text, HTML or JSON (see `zonda.web.debugpage`).

        Args:
            status_code: The status, which is set already.
            **kwargs: ``exc_info`` if an exception is the reason.
        """
        failures.write_page(self, status_code, kwargs)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log an exception that escaped a handler: a hook.

        An `HTTPError` with a message is a warning of one line; anything else is an error with its
        traceback.
        """
        failures.log(self, typ, value, tb)

    def _request_summary(self) -> str:
        return failures.summary(self)

    def _handle_request_exception(self, error: BaseException) -> None:
        failures.answer(self, error)

    # -- everything else -------------------------------------------------------------------------

    def require_setting(self, name: str, feature: str = "this feature") -> None:
        """Fail clearly when the application lacks a setting.

        Raises:
            RuntimeError: ``name`` is not set.
        """
        if not self.application.settings.get(name):
            raise RuntimeError(
                f"You must define the {name!r} setting in your application to use {feature}"
            )

    def reverse_url(self, name: str, *args: Any) -> str:
        """Return the URL path of a named rule (see ``Application.reverse_url``)."""
        return self.application.reverse_url(name, *args)

    # -- the course of a request -----------------------------------------------------------------

    async def _execute(
        self, transforms: list[OutputTransform], *args: bytes, **kwargs: bytes
    ) -> None:
        """Run the handler: `prepare`, the method, `finish`; whoever overrides it is called."""
        middleware = self.application.middleware
        rest = (
            run_inside(middleware, self, transforms, args, kwargs)
            if middleware
            else course.run(self, transforms, args, kwargs)
        )
        if rest is not None:
            await rest

    async def _body_complete(self) -> None:
        """All of a streamed body has been through `data_received`: the method is next."""

    def _abort(self) -> None:
        """Close the connection without an answer, or without the rest of one."""
        departure.abort(self)

    def _end(self) -> None:
        """The request is over, whichever way."""
        self._finished = True
        self._log()
        self.on_finish()

    def _log(self) -> None:
        self.application.log_request(self)


_flush = RequestHandler.flush


_set_header = RequestHandler.set_header
