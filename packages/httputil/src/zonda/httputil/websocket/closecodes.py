"""Close codes (RFC 6455 §7.4) and the payload of a Close frame.

==============  =================================================  ========  ========
codes           meaning                                            received  sent
==============  =================================================  ========  ========
0-999           never used                                         no        no
1000-1003       defined by RFC 6455                                yes       yes
1004            reserved                                           no        no
1005 1006 1015  "no code", "abnormal", "TLS failed": never sent    no        no
1007-1014       defined by RFC 6455, or registered since           yes       yes
1016-2999       for RFCs to come                                   no        no
3000-4999       libraries and applications                         yes       yes
==============  =================================================  ========  ========
"""

import enum


class CloseCode(enum.IntEnum):
    """The registered codes."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_CODE = 1005
    """The peer closed without a code. Never on the wire."""
    ABNORMAL = 1006
    """The connection ended without a Close frame. Never on the wire."""
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014


def may_be_sent(code: int) -> bool:
    """Say whether a code may stand in a Close frame, in either direction.

    >>> [may_be_sent(code) for code in (999, 1000, 1005, 1014, 1015, 2999, 3000, 5000)]
    [False, True, False, True, False, False, True, False]
    """
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


MAX_REASON = 123
"""Bytes of a reason in UTF-8: what a control frame has left beside the code."""


def close_payload(code: int | None, reason: str) -> bytes:
    """Return the payload of a Close frame.

    Args:
        code: A code; None for a frame without one.
        reason: Cut at `MAX_REASON` bytes, between characters.

    Raises:
        ValueError: The code may not be sent, or there is a reason without a code.

    >>> close_payload(1000, "bye")
    b'\\x03\\xe8bye'
    """
    if code is None:
        if reason:
            raise ValueError("a close reason needs a close code")
        return b""
    if not may_be_sent(code):
        raise ValueError(f"close code {code} may not be sent")
    text = reason.encode("utf-8")
    if len(text) > MAX_REASON:
        text = text[:MAX_REASON].decode("utf-8", "ignore").encode("utf-8")
    return code.to_bytes(2, "big") + text
