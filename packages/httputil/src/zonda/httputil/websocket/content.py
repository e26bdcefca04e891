"""What an application says -> what a protocol sends.

In: the argument of a ``write_message``. Out: `str` for a text message, `bytes` for a binary one, as
`Connection.send_message` and `PreparedMessage` take it.
"""

from typing import Any

from zonda.httputil.escape import json_encode


def message_content(message: str | bytes | dict[str, Any], binary: bool = False) -> str | bytes:
    """Make a message of what Tornado's ``write_message`` takes.

    Args:
        message: Text; bytes; or a dictionary, sent as JSON.
        binary: Bytes as they are and text in UTF-8. Otherwise text, and bytes have to be UTF-8.

    Raises:
        TypeError: The message is of another type.
        ValueError: Bytes that are not UTF-8 in a text message, or text that UTF-8 cannot express in
            a binary one.

    >>> message_content({"n": 1}), message_content("é", binary=True)
    ('{"n": 1}', b'\\xc3\\xa9')
    """
    if isinstance(message, dict):
        message = json_encode(message)
    if isinstance(message, str):
        return message.encode() if binary else str(message)
    if isinstance(message, bytes):
        return bytes(message) if binary else message.decode()
    raise TypeError(f"a message is str, bytes or dict, not {type(message).__name__}")
