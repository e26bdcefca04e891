"""The ``Vary`` field (RFC 9110 §12.5.5): what of the request a response depends on."""

from zonda.httputil import HTTPHeaders


def add_vary(headers: HTTPHeaders, name: str) -> None:
    """Say to caches that the response depends on a field of the request.

    >>> headers = HTTPHeaders({"Vary": "Accept-Encoding"})
    >>> add_vary(headers, "Origin")
    >>> add_vary(headers, "origin")
    >>> headers["Vary"]
    'Accept-Encoding, Origin'
    """
    vary = headers.get("Vary")
    if not vary:
        headers["Vary"] = name
        return
    known = {each.strip(" \t").lower() for each in vary.split(",")}
    if not known & {"*", name.lower()}:
        headers["Vary"] = f"{vary}, {name}"
