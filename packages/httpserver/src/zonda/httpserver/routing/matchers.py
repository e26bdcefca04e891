"""Matchers: whether a request is meant, and with which arguments.

A matcher is asked with an ``HTTPServerRequest`` whose head is there. None means "not meant"; a
dictionary holds what was found, as keyword arguments for the rule's target. Most can also be
turned round: `Matcher.reverse` gives the URL for some arguments.
"""

import re
from typing import Any

from zonda.httputil import HTTPServerRequest
from zonda.httputil.escape import url_escape, url_unescape, utf8
from zonda.ioloop.util import re_unescape

#: What a matcher found: keyword arguments for `RuleRouter.get_target_delegate`.
TargetParams = dict[str, Any]


class Matcher:
    """Says whether a request is meant for a rule."""

    def match(self, request: HTTPServerRequest) -> TargetParams | None:
        """Return what was found, to be passed on to the target, or None for "no match"."""
        raise NotImplementedError(f"{type(self).__name__} must override match()")

    def reverse(self, *args: Any) -> str | None:
        """Return the URL that would match with these arguments, or None when there is no such."""
        return None


class AnyMatches(Matcher):
    """Matches every request."""

    def match(self, request: HTTPServerRequest) -> TargetParams | None:
        """Return an empty dictionary."""
        return {}


class HostMatches(Matcher):
    """Matches the host name of a request (without its port) with a regular expression.

    Args:
        host_pattern: A compiled pattern, or a string to be matched as a whole.
    """

    def __init__(self, host_pattern: str | re.Pattern[str]) -> None:
        if isinstance(host_pattern, str):
            if not host_pattern.endswith("$"):
                host_pattern += "$"
            host_pattern = re.compile(host_pattern)
        self.host_pattern = host_pattern

    def match(self, request: HTTPServerRequest) -> TargetParams | None:
        """Match ``request.host_name``."""
        return {} if self.host_pattern.match(request.host_name) else None


class DefaultHostMatches(Matcher):
    """Matches an application's ``default_host`` for requests that come directly, not by a proxy.

    Args:
        application: An object with a ``default_host``.
        host_pattern: The pattern that the default host must match.
    """

    def __init__(self, application: Any, host_pattern: re.Pattern[str]) -> None:
        self.application = application
        self.host_pattern = host_pattern

    def match(self, request: HTTPServerRequest) -> TargetParams | None:
        """Match ``application.default_host`` unless the request has ``X-Real-Ip``."""
        if "X-Real-Ip" in request.headers:
            return None
        return {} if self.host_pattern.match(self.application.default_host) else None


class PathMatches(Matcher):
    """Matches the path of a request with a regular expression.

    Groups become arguments of the handler's method, percent-decoded: named groups keyword
    arguments if there are any, else all groups positional ones.

    Args:
        path_pattern: A compiled pattern, or a string to be matched as a whole.
    """

    def __init__(self, path_pattern: str | re.Pattern[str]) -> None:
        if isinstance(path_pattern, str):
            if not path_pattern.endswith("$"):
                path_pattern += "$"
            path_pattern = re.compile(path_pattern)
        self.regex = path_pattern
        if len(self.regex.groupindex) not in (0, self.regex.groups):
            raise ValueError(
                f"groups in the URL pattern {self.regex.pattern!r} must be all named or all "
                "positional"
            )
        self._path, self._group_count = self._find_groups()

    @property
    def literal(self) -> str | None:
        """The one path that this pattern matches, or None when it may match several."""
        pattern = self.regex.pattern
        if self.regex.flags & ~re.UNICODE or not pattern.endswith("$"):
            return None
        path = pattern[:-1].removeprefix("^")
        return None if _SPECIAL.search(path) else path

    def match(self, request: HTTPServerRequest) -> TargetParams | None:
        """Match ``request.path``; the result has ``path_args`` and ``path_kwargs`` (bytes)."""
        path = request.path
        match = self.regex.match(path)
        if match is None:
            return None
        if not self.regex.groups:
            return {}
        if self.regex.groupindex:
            named = match.groupdict()
            return {
                "path_args": [],
                "path_kwargs": {name: _unescape_group(named[name]) for name in named},
            }
        groups = match.groups()
        if "%" in path or None in groups:
            return {"path_args": [_unescape_group(group) for group in groups], "path_kwargs": {}}
        # As above, for nearly all, in a third of the time.
        return {"path_args": list(map(_encode, groups)), "path_kwargs": {}}

    def reverse(self, *args: Any) -> str | None:
        """Return the path with ``args`` in place of the groups.

        Raises:
            ValueError: The pattern is too complicated to be turned round, or the number of
                arguments is not its number of groups.
        """
        if self._path is None or self._group_count is None:
            raise ValueError(f"the URL pattern {self.regex.pattern!r} cannot be reversed")
        if len(args) != self._group_count:
            raise ValueError(
                f"the URL pattern {self.regex.pattern!r} has {self._group_count} groups, "
                f"{len(args)} arguments were given"
            )
        if not args:
            return self._path
        values = [a if isinstance(a, (str, bytes)) else str(a) for a in args]
        return self._path % tuple(url_escape(utf8(value), plus=False) for value in values)

    def _find_groups(self) -> tuple[str | None, int | None]:
        """Turn the pattern into a %-format with one ``%s`` a group: ``/a/(x)/b`` -> ``/a/%s/b``.

        Returns:
            The format and its number of groups, or two Nones when the pattern has something (a
            non-capturing or nested group, a class such as ``\\d`` outside a group) that no single
            text stands for.
        """
        pattern = self.regex.pattern.removeprefix("^").removesuffix("$")
        pieces: list[str] = []
        groups = position = 0
        while position < len(pattern):
            char = pattern[position]
            if char == "\\":
                try:
                    pieces.append(re_unescape(pattern[position : position + 2]))
                except ValueError:
                    return None, None
                position += 2
            elif char == "(":
                end = _end_of_group(pattern, position)
                if end is None:
                    return None, None
                pieces.append("%s")
                groups += 1
                position = end
            else:
                pieces.append("%%" if char == "%" and self.regex.groups else char)
                position += 1
        if groups != self.regex.groups:
            return None, None
        return "".join(pieces), groups


_SPECIAL = re.compile(r"[.^$*+?{}\[\]|()\\]")


def _end_of_group(pattern: str, start: int) -> int | None:
    """Where the capturing group that opens at ``start`` is over; None if it is not a plain one."""
    body = start + 1
    if pattern.startswith("?", body):
        if not pattern.startswith("?P<", body):
            return None
        body = pattern.index(">", body)
    position, in_class, depth = body, False, 1
    while position < len(pattern):
        char = pattern[position]
        if char == "\\":
            position += 1
        elif in_class:
            in_class = char != "]" or pattern[position - 1] == "["
        elif char == "[":
            in_class = True
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    return None


_encode = str.encode


def _unescape_group(group: str | None) -> bytes | None:
    # Bytes, because only the handler knows the encoding (`decode_argument`).
    if group is None:
        return None
    if "%" not in group:
        return group.encode("utf-8")  # as below, for all but a few
    return url_unescape(group, encoding=None, plus=False)
