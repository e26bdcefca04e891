"""`Application`: routes, settings, and what is common to all requests."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from zonda.httpserver import HTTPServer
from zonda.httpserver.lifespan import Lifespan
from zonda.httpserver.routing import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    PathMatches,
    ReversibleRouter,
    ReversibleRuleRouter,
    Rule,
    _RuleList,
)
from zonda.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
)
from zonda.ioloop import autoreload
from zonda.ioloop.log import access_log
from zonda.web.cors import transform_for
from zonda.web.defaulthandlers import ErrorHandler, ServerOptionsHandler
from zonda.web.delegate import HandlerDelegate
from zonda.web.entry import takes_requests_too
from zonda.web.handler import RequestHandler
from zonda.web.lifespan import ApplicationLifespan, NotYet
from zonda.web.middleware import Middleware
from zonda.web.settings import apply_debug, static_rules
from zonda.web.staticfiles import StaticFileHandler
from zonda.web.transforms import OutputTransform, transforms_of
from zonda.web.uimodules import BUILT_IN, UIMethod, UIModule, load_methods, load_modules

if TYPE_CHECKING:
    from zonda.httpserver.asgi.types import Receive, Scope, Send


class ApplicationRouter(ReversibleRuleRouter):
    """Rules whose targets may be handler classes.

    Args:
        application: The application that they belong to.
        rules: As for `RuleRouter`.
    """

    def __init__(self, application: Application, rules: _RuleList | None = None) -> None:
        self.application = application
        # Paths that lead to a handler class whatever other rules there are; as in `RuleRouter`,
        # good as long as the number of rules is that of `classes_of`.
        self.classes: dict[str, Rule] = {}
        self.classes_of: list[Rule] = []
        super().__init__(rules)

    def _build_index(self) -> None:
        super()._build_index()
        self.classes = {
            path: rule
            for path, position in self._literals.items()
            if isinstance((rule := self.rules[position]).target, type)
            and issubclass(rule.target, RequestHandler)
            and self._is_first(path, position)
        }
        self.classes_of = self._indexed

    def _is_first(self, path: str, position: int) -> bool:
        """Whether no rule in front of the literal one at ``position`` can match its path."""
        for other, rule in self._others:
            if other > position:
                return True
            # What looks at more than the path may match, as a subclass may by other means.
            if type(rule.matcher) is not PathMatches or rule.matcher.regex.match(path):
                return False
        return True

    def process_rule(self, rule: Rule) -> Rule:
        """Turn a list of rules into a router below."""
        rule = super().process_rule(rule)
        if isinstance(rule.target, (list, tuple)):
            rule.target = ApplicationRouter(self.application, rule.target)
        return rule

    def _delegate_of(
        self, rule: Rule, request: HTTPServerRequest, params: dict[str, Any] | None
    ) -> HTTPMessageDelegate | None:
        # The way of nearly all requests, without packing arguments up and unpacking them again.
        target = rule.target
        if isinstance(target, type) and issubclass(target, RequestHandler):
            if params:
                path_args, path_kwargs = params.get("path_args"), params.get("path_kwargs")
            else:
                path_args = path_kwargs = None
            return self.application.get_handler_delegate(
                request, target, rule.target_kwargs, path_args, path_kwargs
            )
        return super()._delegate_of(rule, request, params)

    def get_target_delegate(
        self, target: Any, request: HTTPServerRequest, **target_params: Any
    ) -> HTTPMessageDelegate | None:
        """Return the delegate that runs a handler class."""
        if isinstance(target, type) and issubclass(target, RequestHandler):
            return self.application.get_handler_delegate(request, target, **target_params)
        return super().get_target_delegate(target, request, **target_params)


class Application(ReversibleRouter):
    """A collection of handlers that makes a web application.

    It is a router and can be given to `HTTPServer`, or listens itself (`listen`).

    Args:
        handlers: Rules: `URLSpec`, or tuples of a path pattern, a handler class, and optionally
            arguments for its ``initialize`` and a name. The first that matches is used.
        default_host: The host whose rules apply to requests for hosts without any.
        transforms: Classes of `OutputTransform` for all responses.
        **settings: Anything; shared as ``handler.settings``. `zonda.web.settings` lists those that
            the framework knows.

    Attributes:
        settings: The settings.
        transforms: Classes of transforms for all responses.
        ui_modules: UI modules by name.
        ui_methods: UI methods by name.
        middleware: What runs around every handler (see `zonda.web.middleware`).
        lifespan: What lasts as long as the application runs (see `zonda.web.lifespan`).
    """

    def __init__(
        self,
        handlers: _RuleList | None = None,
        default_host: str | None = None,
        transforms: list[type[OutputTransform]] | None = None,
        **settings: Any,
    ) -> None:
        self.settings = settings
        self.default_host = default_host
        apply_debug(settings)
        # An empty list means "none, whatever the settings say".
        self.transforms: list[Callable[[HTTPServerRequest], OutputTransform]] = [
            *(transforms_of(settings) if transforms is None else transforms)
        ]
        if settings.get("cors") is not None:
            self.transforms.append(transform_for(settings["cors"]))
        self.ui_modules: dict[str, type[UIModule]] = {
            **BUILT_IN,
            **load_modules(settings.get("ui_modules", {})),
        }
        self.ui_methods: dict[str, UIMethod] = load_methods(settings.get("ui_methods", {}))
        self.middleware: tuple[Middleware, ...] = tuple(settings.get("middleware", ()))
        rules = [*static_rules(settings, self.static_files), *(handlers or ())]
        self.wildcard_router = ApplicationRouter(self, rules)
        self.default_router = ApplicationRouter(self, [Rule(AnyMatches(), self.wildcard_router)])
        self.lifespan: ApplicationLifespan | None = None
        # What few applications want costs the others nothing: it takes the place of a method.
        if settings.get("lifespan") is not None:
            self.lifespan = ApplicationLifespan(self, settings["lifespan"])
            self.find_handler = self._find_when_ready  # type: ignore[method-assign]
        if settings.get("parse_body_config") is not None:
            self.start_message = self._start_limited_message  # type: ignore[method-assign]
        if settings.get("autoreload"):
            autoreload.start()

    # -- life ------------------------------------------------------------------------------------

    async def startup(self) -> None:
        """Start the lifespan, and those of applications below this one; servers call it.

        Raises:
            LifespanError: One has failed.
        """
        for lifespan in self.lifespans():
            await lifespan.startup()

    async def shutdown(self) -> None:
        """Stop what `startup` has started.

        Raises:
            LifespanError: Something has failed.
        """
        for lifespan in reversed(list(self.lifespans())):
            await lifespan.shutdown()

    async def __aenter__(self) -> Self:
        await self.startup()
        self._hold(1)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._hold(-1)
        await self.shutdown()

    def _hold(self, change: int) -> None:
        for lifespan in self.lifespans():
            if isinstance(lifespan, ApplicationLifespan):
                lifespan.held += change

    def lifespans(self) -> Iterator[Lifespan]:
        """The application's lifespan, and those of its rules' targets."""
        if self.lifespan is not None:
            yield self.lifespan
        yield from self.default_router.lifespans()

    def _find_when_ready(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate:
        lifespan = self.lifespan
        assert lifespan is not None
        find = partial(type(self).find_handler, self)
        if lifespan.ready:
            return find(request, **kwargs)
        return NotYet(lifespan, request, partial(find, **kwargs))

    def _start_limited_message(
        self,
        server_conn: object,
        request_conn: HTTPConnection,
        start_line: RequestStartLine,
        headers: HTTPHeaders,
    ) -> HTTPMessageDelegate:
        request = HTTPServerRequest(
            connection=request_conn,
            server_connection=server_conn,
            start_line=start_line,
            headers=headers,
            parse_config=self.settings["parse_body_config"],
        )
        return self.find_handler(request)

    # -- serving ---------------------------------------------------------------------------------

    @takes_requests_too
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, WebSocket or lifespan of an ASGI 3 server (see `zonda.web.asgi`).

        Args:
            scope: What it is about.
            receive: Returns the server's next message.
            send: Takes a message for the server.
        """
        from zonda.web.asgi import serve_asgi  # noqa: PLC0415 - start-up time of all the others

        await serve_asgi(self, scope, receive, send)

    @property
    def static_files(self) -> type[StaticFileHandler]:
        """The class that serves static files: the setting ``static_handler_class``."""
        handler_class: type[StaticFileHandler] = self.settings.get(
            "static_handler_class", StaticFileHandler
        )
        return handler_class

    def listen(
        self,
        port: int,
        address: str | None = None,
        *,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        backlog: int = 128,
        flags: int | None = None,
        reuse_port: bool = False,
        **kwargs: Any,
    ) -> HTTPServer:
        """Start an `HTTPServer` for this application.

        Args:
            port: The port; 0 for any free one.
            address: An address or host name; None or ``""`` for all.
            family: Only ``AF_INET`` or ``AF_INET6``.
            backlog: Length of the queue of connections that wait to be accepted.
            flags: ``AI_*`` flags of the address look-up.
            reuse_port: Share the port with other processes.
            **kwargs: Arguments of `HTTPServer`.

        Returns:
            The server, for its ``stop``.
        """
        server = HTTPServer(self, **kwargs)
        server.listen(
            port,
            address=address or "",
            family=family,
            backlog=backlog,
            flags=flags,
            reuse_port=reuse_port,
        )
        return server

    def add_handlers(self, host_pattern: str, host_handlers: _RuleList) -> None:
        """Add rules for hosts whose name matches a pattern.

        Args:
            host_pattern: A regular expression; a longer list of rules is tried in the order it was
                added, before those given to the constructor.
            host_handlers: The rules.
        """
        matcher = HostMatches(host_pattern)
        rule = Rule(matcher, ApplicationRouter(self, host_handlers))
        self.default_router.rules.insert(-1, rule)
        if self.default_host is not None:
            self.wildcard_router.add_rules(
                [(DefaultHostMatches(self, matcher.host_pattern), host_handlers)]
            )

    def add_transform(self, transform_class: type[OutputTransform]) -> None:
        """Add a transform for all responses."""
        self.transforms.append(transform_class)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate:
        """Return the delegate for a request: a rule's, or the default handler's (404)."""
        # Without rules for hosts the router of all hosts is the only one there is.
        if len(self.default_router.rules) == 1:
            router = self.wildcard_router
            rule = router.classes.get(request.path)
            if rule is not None and len(router.classes_of) == len(router.rules):
                return self.get_handler_delegate(request, rule.target, rule.target_kwargs)
            delegate = router.find_handler(request)
        else:
            delegate = self.default_router.find_handler(request)
        if delegate is not None:
            return delegate
        if request.path == "*" and request.method == "OPTIONS":
            return self.get_handler_delegate(request, ServerOptionsHandler)
        if self.settings.get("default_handler_class"):
            return self.get_handler_delegate(
                request,
                self.settings["default_handler_class"],
                self.settings.get("default_handler_args", {}),
            )
        return self.get_handler_delegate(request, ErrorHandler, {"status_code": 404})

    def get_handler_delegate(
        self,
        request: HTTPServerRequest,
        target_class: type[RequestHandler],
        target_kwargs: dict[str, Any] | None = None,
        path_args: list[bytes] | None = None,
        path_kwargs: dict[str, bytes] | None = None,
    ) -> HandlerDelegate:
        """Return the delegate that will run a handler.

        Args:
            request: The request.
            target_class: The handler's class.
            target_kwargs: For its ``initialize``.
            path_args: Positional arguments of the method.
            path_kwargs: Keyword arguments of the method.
        """
        return HandlerDelegate(self, request, target_class, target_kwargs, path_args, path_kwargs)

    def reverse_url(self, name: str, *args: Any) -> str:
        """Return the URL path of the rule called ``name``.

        Args:
            name: The rule's name.
            *args: Values for its groups; percent-encoded.

        Raises:
            KeyError: There is no such rule.
        """
        url = self.default_router.reverse_url(name, *args)
        if url is None:
            raise KeyError(f"{name} not found in named urls")
        return url

    def log_request(self, handler: RequestHandler) -> None:
        """Write the access log's line of a finished request: a hook.

        Success is logged as INFO, 4xx as WARNING, 5xx as ERROR. The setting ``log_function`` is
        called in its place with the handler.
        """
        if "log_function" in self.settings:
            self.settings["log_function"](handler)
            return
        status = handler._status_code
        level = 20 if status < 400 else 30 if status < 500 else 40
        if access_log.isEnabledFor(level):
            access_log.log(
                level,
                "%d %s %.2fms",
                status,
                handler._request_summary(),
                1000.0 * handler.request.request_time(),
            )
