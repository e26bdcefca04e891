"""Routers that try rules in order; literal paths are found without trying."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from zonda.httpserver.callback import CallableAdapter
from zonda.httpserver.lifespan import Lifespan
from zonda.httpserver.routing.matchers import PathMatches, TargetParams
from zonda.httpserver.routing.router import ReversibleRouter, Router
from zonda.httpserver.routing.rules import Rule
from zonda.httputil import (
    HTTPConnection,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
)
from zonda.ioloop.log import app_log

_RuleList = Sequence["Rule | list[Any] | tuple[Any, ...]"]


class RuleRouter(Router):
    """Tries rules in order.

    Args:
        rules: `Rule` objects, or tuples of a `Rule`'s arguments whose first item may be a path
            pattern in place of a matcher.
    """

    def __init__(self, rules: _RuleList | None = None) -> None:
        self.rules: list[Rule] = []
        # A rule for one literal path is found by a dictionary; only the rules in front of it that
        # could match as well are tried. Built anew when the number of rules has changed (comparing
        # them all would cost each request as much as the index saves).
        self._indexed: list[Rule] = []
        self._literals: dict[str, int] = {}
        self._others: list[tuple[int, Rule]] = []
        self._first_other = 0
        if rules:
            self.add_rules(rules)

    def add_rules(self, rules: _RuleList) -> None:
        """Append rules (see the class)."""
        for rule in rules:
            if isinstance(rule, (tuple, list)):
                if len(rule) not in (2, 3, 4):
                    raise ValueError(f"a rule has 2 to 4 items, this one {len(rule)}: {rule!r}")
                if isinstance(rule[0], (str, re.Pattern)):
                    rule = Rule(PathMatches(rule[0]), *rule[1:])
                else:
                    rule = Rule(*rule)
            self.rules.append(self.process_rule(rule))

    def process_rule(self, rule: Rule) -> Rule:
        """Return the rule that will really be used; a hook for subclasses."""
        return rule

    def lifespans(self) -> Iterator[Lifespan]:
        """Those of all rules' targets."""
        for rule in self.rules:
            if isinstance(rule.target, Router):
                yield from rule.target.lifespans()

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """Return the delegate of the first rule that matches and has one."""
        if len(self._indexed) != len(self.rules):
            self._build_index()
        # -1: no literal rule for this path, all others are to be tried.
        literal = self._literals.get(request.path, -1)
        if self._first_other < literal or literal < 0:
            for position, rule in self._others:
                if -1 < literal < position:
                    break  # the literal rule comes first
                params = rule.matcher.match(request)
                if params is not None:
                    delegate = self._delegate_of(rule, request, params)
                    if delegate is not None:
                        return delegate
            if literal < 0:
                return None
        delegate = self._delegate_of(self.rules[literal], request, None)
        return self._find_after(literal, request) if delegate is None else delegate

    def _find_after(self, position: int, request: HTTPServerRequest) -> HTTPMessageDelegate | None:
        """Go on behind a literal rule whose target declined."""
        for rule in self.rules[position + 1 :]:
            params = rule.matcher.match(request)
            if params is not None:
                delegate = self._delegate_of(rule, request, params)
                if delegate is not None:
                    return delegate
        return None

    def _build_index(self) -> None:
        self._indexed = list(self.rules)
        self._literals = {}
        self._others = []
        for position, rule in enumerate(self.rules):
            matcher = rule.matcher
            # A subclass may match by other means than its pattern.
            literal = matcher.literal if type(matcher) is PathMatches else None
            if literal is None:
                self._others.append((position, rule))
            else:
                self._literals.setdefault(literal, position)
        self._first_other = self._others[0][0] if self._others else len(self.rules)

    def _delegate_of(
        self, rule: Rule, request: HTTPServerRequest, params: TargetParams | None
    ) -> HTTPMessageDelegate | None:
        params = params or {}
        if rule.target_kwargs:
            params["target_kwargs"] = rule.target_kwargs
        return self.get_target_delegate(rule.target, request, **params)

    def get_target_delegate(
        self, target: Any, request: HTTPServerRequest, **target_params: Any
    ) -> HTTPMessageDelegate | None:
        """Return the delegate of a rule's target, or None to go on with the next rule.

        Args:
            target: What the rule holds.
            request: The request to answer.
            **target_params: What the matcher found, and ``target_kwargs`` of the rule.
        """
        if isinstance(target, Router):
            return target.find_handler(request, **target_params)
        if isinstance(target, HTTPServerConnectionDelegate):
            return target.start_request(request.server_connection, _connection_of(request))
        if callable(target):
            callback: Callable[[HTTPServerRequest], None] = partial(target, **target_params)
            return CallableAdapter(callback, _connection_of(request))
        return None


def _connection_of(request: HTTPServerRequest) -> HTTPConnection:
    assert request.connection is not None, "a request that is being routed has a connection"
    return request.connection


class ReversibleRuleRouter(ReversibleRouter, RuleRouter):
    """A `RuleRouter` that knows its rules by name."""

    def __init__(self, rules: _RuleList | None = None) -> None:
        self.named_rules: dict[str, Rule] = {}
        super().__init__(rules)

    def process_rule(self, rule: Rule) -> Rule:
        """Take note of the rule's name."""
        rule = super().process_rule(rule)
        if rule.name:
            if rule.name in self.named_rules:
                app_log.warning("Multiple handlers named %s; replacing previous value", rule.name)
            self.named_rules[rule.name] = rule
        return rule

    def reverse_url(self, name: str, *args: Any) -> str | None:
        """Return the URL path of the rule called ``name``, here or in a router below."""
        if name in self.named_rules:
            return self.named_rules[name].reverse(*args)
        for rule in self.rules:
            if isinstance(rule.target, ReversibleRouter):
                url = rule.target.reverse_url(name, *args)
                if url is not None:
                    return url
        return None
