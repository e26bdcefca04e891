"""URLs and authorities, as far as HTTP needs them.

In: str. Out: str, tuples and iterators. `parse_authority` raises `HTTPInputError` for what is no
authority, `url_concat` TypeError for arguments that are none.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlencode

from zonda.httputil.errors import HTTPInputError

_HOST_AND_PORT: Final = re.compile(r"(.+):([0-9]{1,18})")
# uri-host [ ":" port ] (RFC 9110 §7.2, RFC 3986 §3.2.2), but no comma: that is what two Host fields
# look like once somebody has joined them.
_AUTHORITY: Final = re.compile(
    r"(\[[0-9A-Fa-f:.]++\]"
    r"|\[[vV][0-9A-Fa-f]++\.[A-Za-z0-9_\-.~!$&'()*+;=:]++\]"
    r"|(?:[A-Za-z0-9_\-.~!$&'()*+;=]|%[0-9A-Fa-f]{2})*+)"
    r"(?::([0-9]{0,5}+))?+"
)
# What the URL standard has browsers ignore.
_C0_AND_SPACE: Final = "".join(map(chr, range(33)))
_INVISIBLE: Final = {ord(character): None for character in "\t\r\n"}


def split_host_and_port(netloc: str) -> tuple[str, int | None]:
    """Split ``host:port``; the port is None when there is none, or no number.

    >>> split_host_and_port("example.com:8080"), split_host_and_port("[::1]")
    (('example.com', 8080), ('[::1]', None))
    """
    match = _HOST_AND_PORT.fullmatch(netloc)
    if match is None:
        return netloc, None
    return match[1], int(match[2])


def parse_authority(authority: str) -> tuple[str, int | None]:
    """The host, in lower case, and the port of a Host header or of a request target.

    Args:
        authority: The value; an empty one is valid (RFC 9112 §3.2) and has an empty host.

    Raises:
        HTTPInputError: Not ``uri-host [ ":" port ]``.

    >>> parse_authority("Example.com:80")
    ('example.com', 80)
    """
    match = _AUTHORITY.fullmatch(authority)
    if match is None or (match[2] and int(match[2]) > 65535):
        raise HTTPInputError(f"invalid Host {authority[:80]!a}")
    return match[1].lower(), int(match[2]) if match[2] else None


def url_concat(
    url: str,
    args: Mapping[str, object] | Sequence[tuple[str, object]] | None,
) -> str:
    """Add arguments to the query of a URL; those it has already stay in front.

    Args:
        url: Absolute or relative URL; its fragment stays at the end. What a browser would not see
            (control characters and spaces in front, TAB, CR and LF anywhere) is dropped.
        args: Names and values, which are percent-encoded as UTF-8. None adds nothing.

    Raises:
        TypeError: `args` is not a mapping, list or tuple.

    >>> url_concat("http://example.com/foo?a=b#top", {"c": "d e"})
    'http://example.com/foo?a=b&c=d+e#top'
    >>> url_concat("/foo", [("c", "d"), ("c", "d2")])
    '/foo?c=d&c=d2'
    """
    if args is None:
        return url
    if not isinstance(args, Mapping | list | tuple):
        raise TypeError(f"the arguments of url_concat are a mapping or pairs, not {type(args)}")
    url = url.lstrip(_C0_AND_SPACE).translate(_INVISIBLE)
    rest, hash_mark, fragment = url.partition("#")
    path, _, query = rest.partition("?")
    pairs: list[tuple[str, object]] = [*parse_qsl(query, keep_blank_values=True)]
    pairs.extend(args.items() if isinstance(args, Mapping) else args)
    query = urlencode(pairs)
    # An empty fragment goes, as the question mark of an empty query does.
    return path + ("?" + query if query else "") + (hash_mark + fragment if fragment else "")


def qs_to_qsl(qs: Mapping[str, Iterable[bytes]]) -> Iterator[tuple[str, bytes]]:
    """The pairs of what `zonda.httputil.escape.parse_qs_bytes` returned.

    >>> list(qs_to_qsl({"a": [b"1", b"2"]}))
    [('a', b'1'), ('a', b'2')]
    """
    for name, values in qs.items():
        for value in values:
            yield name, value
