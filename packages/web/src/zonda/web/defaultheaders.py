"""The headers that every response begins with, made once a second because of the ``Date``."""

import time

from zonda.httputil import HTTPHeaders, format_timestamp
from zonda.web.version import SERVER

_new_headers = HTTPHeaders.__new__
_time = time.time

_since = 0
_template = HTTPHeaders().template()
_json = _template  # the same for JSON


def default_headers() -> HTTPHeaders:
    """Return new headers: ``Server``, ``Content-Type`` and ``Date`` (RFC 9110 §6.6.1).

    They refer to a text that is ready to be sent, and copy it if more is done than to add to it.
    """
    global _since, _template, _json
    now = _time()
    if not _since <= now < _since + 1:  # the clock may have been set back
        _since = int(now)
        _template = HTTPHeaders(
            {
                "Server": SERVER,
                "Content-Type": "text/html; charset=UTF-8",
                "Date": format_timestamp(_since),
            }
        ).template()
        json = _template.variant("Content-Type", "application/json; charset=UTF-8")
        assert json is not None
        _json = json
    headers = _new_headers(HTTPHeaders)  # as `HTTPHeaders.from_template` does
    headers._block = _template
    headers._fields = {}
    return headers


def is_json_now(headers: HTTPHeaders) -> bool:
    """Set the ``Content-Type`` of default headers to JSON, in a fifth of the usual time.

    Returns:
        Whether they were default headers, to which nothing has been done but to add fields.
    """
    if headers._block is _template:
        headers._block = _json
        return True
    return False
