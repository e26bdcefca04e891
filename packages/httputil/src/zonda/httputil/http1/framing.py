"""How the content of a message is delimited: RFC 9112 §6.3, case by case.

In: the facts of a head that matter (version, method or status, the values of ``Transfer-Encoding``
and ``Content-Length`` as received). Out: one `Framing`. Raises `RemoteProtocolError` for a message
whose length is ambiguous: guessing is how requests are smuggled.
"""

import re
from typing import Final, NamedTuple

from zonda.httputil.http1.errors import LocalProtocolError, RemoteProtocolError
from zonda.httputil.http1.head import HTTP_WHITESPACE, TOKEN

# 18 digits fit every integer type on the way; int() of a long string of digits is quadratic.
_LENGTH: Final = re.compile(r"[0-9]{1,18}+")
_CODING_LIST: Final = re.compile(r"[\t !#$%&'*+\-.^_`|~0-9A-Za-z,;=\"]*+")


class Framing(NamedTuple):
    """How long the content of a message is.

    Attributes:
        length: Bytes of content; `None` if not known in advance.
        chunked: The end is marked by the chunked transfer coding. With neither a length nor
            chunked, the content of a response ends when the connection does.
    """

    length: int | None
    chunked: bool = False


NO_CONTENT: Final = Framing(0)
"""The message ends with its head."""
CHUNKED: Final = Framing(None, True)
"""The content has the chunked transfer coding."""
UNTIL_CLOSE: Final = Framing(None)
"""The content ends when the connection does."""


def parse_content_length(values: list[str]) -> int:
    """The length that one or more ``Content-Length`` values state.

    A list of equal members, or a repeated field, counts as one (RFC 9110 §8.6); members have to be
    written the same way, so ``5, 05`` is refused.

    Raises:
        RemoteProtocolError: No digits, anything but ASCII digits, too many, or unequal members.

    >>> parse_content_length([" 42"])
    42
    """
    if len(values) == 1:
        text = values[0].strip(HTTP_WHITESPACE)
        if _LENGTH.fullmatch(text):
            return int(text)
    members = {m.strip(HTTP_WHITESPACE) for value in values for m in value.split(",")}
    if len(members) != 1:
        raise RemoteProtocolError("contradicting Content-Length values")
    text = members.pop()
    if not _LENGTH.fullmatch(text):
        raise RemoteProtocolError("Content-Length is not a number")
    return int(text)


def own_content_length(value: str) -> int:
    """The same for a value that we are about to send.

    Raises:
        LocalProtocolError: It is no number of up to 18 digits.
    """
    try:
        return parse_content_length([value])
    except RemoteProtocolError as error:
        raise LocalProtocolError(f"invalid Content-Length: {value!r}") from error


def _check_chunked(values: list[str], *, is_request: bool) -> None:
    value = ",".join(values)
    coding = value.strip(HTTP_WHITESPACE).lower()
    if coding == "chunked":
        return
    # Unknown codings get 501 as RFC 9112 §6.1 suggests, but only in a list that ends in chunked and
    # is nothing but tokens: all else is malformed, or has no end that could be relied on (§6.3 case
    # 4).
    members = [member.strip(HTTP_WHITESPACE) for member in coding.split(",")]
    well_formed = all(TOKEN.fullmatch(member.partition(";")[0].rstrip(" \t")) for member in members)
    if (
        is_request
        and well_formed
        and _CODING_LIST.fullmatch(coding)
        and members[-1] == "chunked"
        and "chunked" not in members[:-1]
    ):
        raise RemoteProtocolError("transfer coding is not supported", 501)
    raise RemoteProtocolError("Transfer-Encoding is not chunked")


def request_framing(
    http10: bool, transfer_encoding: list[str] | None, content_length: list[str] | None
) -> Framing:
    """Length of the content of a request.

    Args:
        http10: The request is HTTP/1.0.
        transfer_encoding: Values of the ``Transfer-Encoding`` field lines, `None` without any.
        content_length: Values of the ``Content-Length`` field lines, `None` without any.

    Raises:
        RemoteProtocolError: See the module.
    """
    # Cases 1 and 2 are about responses.
    if transfer_encoding is not None:
        # Case 3: both fields. A gateway in front may believe the other one.
        if content_length is not None:
            raise RemoteProtocolError("both Transfer-Encoding and Content-Length")
        # §6.1: HTTP/1.0 has no transfer codings; its sender did not mean what we would understand.
        if http10:
            raise RemoteProtocolError("Transfer-Encoding in an HTTP/1.0 request")
        # Case 4: chunked has to be the last coding; it is the only one understood here.
        _check_chunked(transfer_encoding, is_request=True)
        return CHUNKED
    if content_length is not None:
        # Case 5 (invalid) and case 6 (valid).
        return Framing(parse_content_length(content_length))
    # Case 7: a request without either has no content. Case 8 is about responses.
    return NO_CONTENT


def response_framing(
    request_method: str | None,
    status: int,
    http10: bool,
    transfer_encoding: list[str] | None,
    content_length: list[str] | None,
) -> Framing:
    """Length of the content of a response.

    Args:
        request_method: Method of the request that is answered.
        status: Status code.
        http10: The response is HTTP/1.0.
        transfer_encoding: As for `request_framing`.
        content_length: As for `request_framing`.

    Raises:
        RemoteProtocolError: See the module.
    """
    # Case 1: no content whatever the fields say.
    if request_method == "HEAD" or status < 200 or status in (204, 304):
        return NO_CONTENT
    # Case 2: the connection is a tunnel from here on; both fields are ignored.
    if request_method == "CONNECT" and 200 <= status < 300:
        return NO_CONTENT
    if transfer_encoding is not None:
        # Case 3: both fields: an attempt at response splitting as likely as not.
        if content_length is not None:
            raise RemoteProtocolError("both Transfer-Encoding and Content-Length")
        # §6.1, as for requests.
        if http10:
            raise RemoteProtocolError("Transfer-Encoding in an HTTP/1.0 response")
        # Case 4: another last coding than chunked means read until close, but codings that are not
        # understood leave nothing that a user could do with the bytes.
        _check_chunked(transfer_encoding, is_request=False)
        return CHUNKED
    if content_length is not None:
        # Cases 5 and 6.
        return Framing(parse_content_length(content_length))
    # Case 7 is about requests. Case 8: until the server closes.
    return UNTIL_CLOSE
