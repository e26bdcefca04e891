"""Rules: a matcher joined to what happens when it matches."""

import re
from typing import Any

from zonda.httpserver.routing.matchers import Matcher, PathMatches
from zonda.ioloop.util import import_object


class Rule:
    """A matcher and what to do when it matches.

    Args:
        matcher: Says which requests are meant.
        target: A router, a delegate, a callable, or what the router's subclass understands (a
            ``RequestHandler`` class in ``zonda.web``). A dotted name is imported.
        target_kwargs: Passed to the target (a handler's ``initialize``).
        name: For `ReversibleRouter.reverse_url`; unique in its router.
    """

    def __init__(
        self,
        matcher: Matcher,
        target: Any,
        target_kwargs: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        if isinstance(target, str):
            target = import_object(target)
        self.matcher = matcher
        self.target = target
        self.target_kwargs = target_kwargs if target_kwargs else {}
        self.name = name

    def reverse(self, *args: Any) -> str | None:
        """Return the URL of this rule (see `Matcher.reverse`)."""
        return self.matcher.reverse(*args)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.matcher!r}, {self.target}, "
            f"kwargs={self.target_kwargs!r}, name={self.name!r})"
        )


class URLSpec(Rule):
    """A rule for a path, which is what most applications need.

    Args:
        pattern: The path as a regular expression (see `PathMatches`).
        handler: A ``RequestHandler`` class or its dotted name.
        kwargs: Passed to the handler's ``initialize``.
        name: For ``reverse_url``.
    """

    def __init__(
        self,
        pattern: str | re.Pattern[str],
        handler: Any,
        kwargs: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        matcher = PathMatches(pattern)
        super().__init__(matcher, handler, kwargs, name)
        self.regex = matcher.regex
        self.handler_class = self.target
        self.kwargs = kwargs

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.regex.pattern!r}, {self.handler_class}, "
            f"kwargs={self.kwargs!r}, name={self.name!r})"
        )
