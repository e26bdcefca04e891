"""Entity tags: whether the client has the version that a response says it is."""

from zonda.httputil.conditional import parse_entity_tag, parse_entity_tags


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
