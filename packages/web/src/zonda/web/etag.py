"""Entity tags: how a response says which version it is, and whether the client has it already."""

import hashlib
from collections.abc import Iterable

from zonda.httputil.conditional import parse_entity_tag, parse_entity_tags

_EMPTY = hashlib.sha1(usedforsecurity=False)


def etag_of(chunks: Iterable[bytes]) -> str:
    """Return a strong entity tag (RFC 9110 §8.8.3) for a body.

    SHA-1 in hexadecimal: what clients of a service that ran on Tornado have in their caches.
    """
    digest = _EMPTY.copy()  # faster than a new one
    for chunk in chunks:
        digest.update(chunk)
    return f'"{digest.hexdigest()}"'


def client_has(if_none_match: str, etag: str) -> bool:
    """Say whether ``If-None-Match`` names this entity tag (weak comparison, RFC 9110 §13.1.2).

    Args:
        if_none_match: The field of the request.
        etag: The field of the response.
    """
    current = parse_entity_tag(etag)
    if current is None:
        return False
    known = parse_entity_tags(if_none_match)
    if known == "*":
        return True
    return any(tag.matches_weakly(current) for tag in known)
