"""The HTTP client of the Tornado stack: this package keeps its place, and has no public name yet.

What it will be made of is there: `zonda.iostream.tcpclient` connects, and
`zonda.httputil.http1.ClientConnection` speaks the client's side of HTTP/1.1.
"""

__all__: list[str] = []
