"""Errors of `zonda.httputil`.

::

    HTTPInputError                  what the peer sent is not HTTP; ``status`` is what to answer
    with
    +-- InvalidFieldName            not a token (also a ValueError)
    +-- InvalidFieldValue           a character that no field value may hold (also a ValueError)
    +-- BadCompressedData           a body that is not what its Content-Encoding says
    +-- OutputTooLarge              a body that grows too large when decompressed (413)
    HTTPOutputError                 what the program wants to send is not HTTP

The sub-packages `http1` and `websocket` derive their own errors from these.
"""

from http.cookies import CookieError


class HTTPInputError(Exception):
    """What arrived from outside is not acceptable HTTP.

    Attributes:
        message: What is wrong, in one sentence.
        status: The status code a server answers with (RFC 9110 §15.5), 400 by default.

    >>> str(HTTPInputError("no colon in field line"))
    'no colon in field line'
    """

    def __init__(self, message: str = "", status: int = 400) -> None:
        super().__init__(message, status)
        self.message = message
        self.status = status

    def __str__(self) -> str:
        return self.message


class InvalidFieldName(HTTPInputError, ValueError):
    """A header field's name is not a token (RFC 9110 §5.1).

    A ValueError too: most often it is the program's own name that is at fault.

    Attributes:
        name: The name as given.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"header name {name[:80]!a} is not a token")
        self.args = (name,)
        self.name = name


class InvalidFieldValue(HTTPInputError, ValueError):
    """A header field's value holds a character that could end the field (RFC 9110 §5.5).

    Attributes:
        name: Name of the field.
        value: The value as given.
    """

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"header {name[:80]!a} has illegal characters in its value {value[:80]!a}")
        self.args = (name, value)
        self.name = name
        self.value = value


class BadCompressedData(HTTPInputError):
    """A body under a Content-Encoding is corrupt, truncated or followed by something else."""


class OutputTooLarge(HTTPInputError):
    """A body under a Content-Encoding is larger than allowed once decompressed.

    Attributes:
        limit: The most bytes allowed.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} bytes after decompression", 413)
        self.limit = limit


class HTTPOutputError(Exception):
    """What the program asked to send cannot be sent as HTTP (a body longer than announced, say)."""


class InvalidCookie(CookieError, ValueError):
    """A name, value or attribute that must not be in a Set-Cookie field (RFC 6265 §4.1).

    Attributes:
        cookie: Name of the cookie.
        what: ``name``, ``value`` or the name of the attribute.
        given: What was given for it.
    """

    def __init__(self, cookie: str, what: str, given: object) -> None:
        super().__init__(cookie, what, given)
        self.cookie = cookie
        self.what = what
        self.given = given

    def __str__(self) -> str:
        return f"cookie {self.cookie[:80]!a}: invalid {self.what} {self.given!a}"
