"""Routing: which delegate answers a request.

In goes an ``HTTPServerRequest`` whose head has been read; out comes the ``HTTPMessageDelegate``
that takes its body and answers, or None when no rule matches. A *rule* joins a *matcher* (does it
match, and with which arguments?) and a *target* (another router, an application, a callable, or
whatever a subclass of `RuleRouter` understands). Rules are tried in order; the first whose target
gives a delegate wins. Nothing here touches the network.
"""

from zonda.httpserver.routing.matchers import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    Matcher,
    PathMatches,
)
from zonda.httpserver.routing.router import ReversibleRouter, Router
from zonda.httpserver.routing.rulerouter import ReversibleRuleRouter, RuleRouter, _RuleList
from zonda.httpserver.routing.rules import Rule, URLSpec
from zonda.ioloop.log import app_log

__all__ = [
    "AnyMatches",
    "DefaultHostMatches",
    "HostMatches",
    "Matcher",
    "PathMatches",
    "ReversibleRouter",
    "ReversibleRuleRouter",
    "Router",
    "Rule",
    "RuleRouter",
    "URLSpec",
    "_RuleList",
    "app_log",
]
