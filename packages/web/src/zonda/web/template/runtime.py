"""What a compiled template calls while it runs, and the names every template can use.

Output is bytes: static text was encoded when the template was compiled, values are encoded here.
"""

import builtins
import datetime
from collections.abc import Callable
from typing import Any

from zonda.httputil.escape import (
    json_encode,
    linkify,
    squeeze,
    url_escape,
    utf8,
    xhtml_escape,
)


def to_bytes(value: object) -> bytes:
    """Return a value as it is output without escaping: bytes as they are, all else as text.

    >>> to_bytes(None), to_bytes("caf\u00e9")
    (b'None', b'caf\\xc3\\xa9')
    """
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    return str(value).encode()


def escape_value(value: object) -> bytes:
    """Return a value as `xhtml_escape` would have it, as bytes.

    >>> escape_value("<i>"), escape_value(3)
    (b'&lt;i&gt;', b'3')
    """
    # Most values hold none of the five: looking for each costs a quarter of replacing each.
    if type(value) is not str:
        if type(value) is int:
            return b"%d" % value
        if isinstance(value, str):
            value = str.__str__(value)
        else:
            value = value.decode() if isinstance(value, bytes) else str(value)
    if "&" in value:
        value = value.replace("&", "&amp;")
    if "<" in value:
        value = value.replace("<", "&lt;")
    if ">" in value:
        value = value.replace(">", "&gt;")
    if '"' in value:
        value = value.replace('"', "&quot;")
    if "'" in value:
        value = value.replace("'", "&#x27;")
    return value.encode()


def escaper(function: Callable[[Any], str | bytes]) -> Callable[[object], bytes]:
    """Return what applies ``function``, the ``xhtml_escape`` of a namespace, to a value.

    The usual one is replaced by `escape_value`, which does the same in one call instead of four.
    """
    if function is xhtml_escape:
        return escape_value
    return lambda value: result(function(to_bytes(value)))


def result(value: str | bytes) -> bytes:
    """Return as bytes what a function of the template's author made of its input.

    Raises:
        TypeError: for anything but text and bytes.
    """
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise TypeError(f"expected str or bytes from a template function, not {type(value).__name__}")


#: Names that each template finds defined; a loader's namespace and ``generate`` may replace them.
NAMESPACE: dict[str, object] = {
    "escape": xhtml_escape,
    "xhtml_escape": xhtml_escape,
    "url_escape": url_escape,
    "json_encode": json_encode,
    "squeeze": squeeze,
    "linkify": linkify,
    "datetime": datetime,
    "_tt_utf8": utf8,
    "_tt_string_types": (str, bytes),
    "_tt_bytes": to_bytes,
    "_tt_result": result,
    "_tt_escaper": escaper,
    "_tt_join": b"".join,
    "__builtins__": vars(builtins),
}
