r"""Header values with parameters, ``value; name=text; name="quoted \" text";
name*=UTF-8''%e2%82%ac``.

In: the value of a field such as Content-Type or Content-Disposition (RFC 9110 §5.6.6, extended
parameters of RFC 8187, continuations of RFC 2231). Out: what is before the first semicolon, and a
dict. Parsing raises nothing and drops what is no parameter; formatting raises ValueError for what
cannot be in a header. Linear: 200,000 parameters, or one quote that is never closed, are read in
one pass.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote_to_bytes

# A semicolon and what follows it up to the next one outside quotes. The repetitions are possessive,
# and a quote that is never closed takes all the rest, so that no character is looked at twice.
_SEGMENT: Final = re.compile(
    r';((?:[^;"]++|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z))*+)',
    re.DOTALL,
)
_FIRST: Final = re.compile(r'(?:[^;"]++|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z))*+', re.DOTALL)
# Only these two are escaped: browsers of old sent Windows paths with bare backslashes.
_QUOTED_PAIR: Final = re.compile(r'\\(["\\])')
_CONTINUATION: Final = re.compile(r"(.+?)\*([0-9]{1,3})(\*?)")
_EXTENDED: Final = re.compile(
    r"([A-Za-z0-9!#$%&+\-^_`{}~]+)'[A-Za-z0-9\-]*'((?:[A-Za-z0-9!#$&+\-.^_`|~]|%[0-9A-Fa-f]{2})*+)"
)
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# RFC 8187 knows UTF-8 only, RFC 5987 before it Latin-1 too. Never a codec of the peer's choice.
_CHARSETS: Final = {"utf-8": "utf-8", "iso-8859-1": "latin-1", "us-ascii": "ascii"}


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Split a value from its parameters.

    Names come out in lower case; of several parameters with one name the last counts, and an
    extended one (``name*=``) that can be decoded counts more than plain ones. What has no ``=`` is
    left out.

    Args:
        value: The value of the field.

    Returns:
        What is before the first semicolon, and the parameters.

    >>> parse_parameters('form-data; name="a;b"; filename*=UTF-8\\'\\'%e2%82%ac.txt')
    ('form-data', {'name': 'a;b', 'filename': '€.txt'})
    """
    first = _FIRST.match(value)
    assert first is not None  # it matches the empty string
    parameters: dict[str, str] = {}
    starred: list[tuple[str, str]] = []
    for segment in _SEGMENT.findall(value, first.end()):
        name, equals, text = segment.partition("=")
        if equals:
            name = name.strip(" \t")
            if not _TOKEN.fullmatch(name):
                continue
            name = name.lower()
            text = _unquote(text.strip(" \t"))
            if "*" in name:
                starred.append((name, text))
            else:
                parameters[name] = text
    if starred:
        parameters.update(_decode_starred(starred))
    return first[0].strip(" \t"), parameters


def _unquote(text: str) -> str:
    if len(text) > 1 and text[0] == '"' == text[-1]:
        text = text[1:-1]
        if "\\" in text:
            return _QUOTED_PAIR.sub(r"\1", text)
    return text


def _decode_starred(starred: list[tuple[str, str]]) -> dict[str, str]:
    decoded: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    extended: dict[str, str] = {}
    for name, text in starred:
        match = _CONTINUATION.fullmatch(name)
        if match is not None:
            pieces.setdefault(match[1], {})[int(match[2])] = (text, bool(match[3]))
        elif name.endswith("*") and (plain := _decode_extended(text)) is not None:
            extended[name[:-1]] = plain
    for name, numbered in pieces.items():
        joined = _join_continuations(numbered)
        if joined is not None:
            decoded[name] = joined
    decoded.update(extended)
    return decoded


def _decode_extended(text: str) -> str | None:
    match = _EXTENDED.fullmatch(text)
    charset = _CHARSETS.get(match[1].lower()) if match else None
    if match is None or charset is None:
        return None
    try:
        return unquote_to_bytes(match[2]).decode(charset)
    except UnicodeDecodeError:
        return None


def _join_continuations(numbered: dict[int, tuple[str, bool]]) -> str | None:
    # RFC 2231 §4.1: the pieces 0, 1, 2... in order; if the first is encoded it names the charset.
    if 0 not in numbered:
        return None
    charset = "utf-8"
    octets = bytearray()
    for number in range(len(numbered)):
        if number not in numbered:
            break
        text, encoded = numbered[number]
        if not encoded:
            octets += text.encode(charset, "replace")
            continue
        if number == 0:
            label, _, text = text.partition("'")
            _, quote_mark, text = text.partition("'")
            if not quote_mark or label.lower() not in _CHARSETS:
                return None
            charset = _CHARSETS[label.lower()]
        octets += unquote_to_bytes(text)
    try:
        return octets.decode(charset)
    except UnicodeDecodeError:
        return None


def format_parameters(value: str, parameters: Mapping[str, str | int | None]) -> str:
    """The opposite of `parse_parameters`: value and parameters as one field value.

    Args:
        value: What stands before the first semicolon.
        parameters: By name; they come out sorted. None gives the bare name. Texts are quoted if
            they must be, and extended as in RFC 8187 if they are not Latin-1.

    Raises:
        ValueError: A name is not a token, or a control character is in a text.

    >>> format_parameters("attachment", {"filename": "a b.txt"})
    'attachment; filename="a b.txt"'
    >>> format_parameters("attachment", {"filename": "\\u20ac"})
    "attachment; filename*=UTF-8''%E2%82%AC"
    """
    if _CONTROL.search(value):
        raise ValueError(f"control character in {value!r}")
    parts = [value]
    for name, text in sorted(parameters.items()):
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"parameter name {name!r} is not a token")
        if text is None:
            parts.append(name)
            continue
        text = str(text)
        if _CONTROL.search(text):
            raise ValueError(f"control character in parameter {name}: {text!r}")
        if _TOKEN.fullmatch(text):
            parts.append(f"{name}={text}")
        elif all(character <= "\xff" for character in text):
            escaped = text.replace("\\", "\\\\").replace('"', '\\"')
            parts.append(f'{name}="{escaped}"')
        else:
            parts.append(f"{name}*=UTF-8''{quote(text, safe='!#$&+^`|')}")
    return "; ".join(parts)
