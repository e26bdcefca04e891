"""`Application`: routes, settings, and what is common to all requests."""

from __future__ import annotations

import socket
from typing import Any

from zonda.httpserver import HTTPServer
from zonda.httpserver.routing import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    ReversibleRouter,
    ReversibleRuleRouter,
    Rule,
    _RuleList,
)
from zonda.httputil import (
    HTTPMessageDelegate,
    HTTPServerRequest,
)
from zonda.ioloop.log import access_log
from zonda.web.defaulthandlers import ErrorHandler
from zonda.web.delegate import HandlerDelegate
from zonda.web.handler import RequestHandler
from zonda.web.transforms import OutputTransform


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
            if position < self._first_other
            and isinstance((rule := self.rules[position]).target, type)
            and issubclass(rule.target, RequestHandler)
        }
        self.classes_of = self._indexed

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
        **settings: Anything; shared as ``handler.settings``. Known ones are ``debug``,
            ``serve_traceback``, ``default_handler_class``, ``default_handler_args``,
            ``log_function``.
    """

    def __init__(
        self,
        handlers: _RuleList | None = None,
        default_host: str | None = None,
        transforms: list[type[OutputTransform]] | None = None,
        **settings: Any,
    ) -> None:
        self.transforms: list[type[OutputTransform]] = list(transforms or ())
        self.default_host = default_host
        self.settings = settings
        if settings.get("debug"):
            settings.setdefault("serve_traceback", True)
        self.wildcard_router = ApplicationRouter(self, handlers)
        self.default_router = ApplicationRouter(self, [Rule(AnyMatches(), self.wildcard_router)])

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
