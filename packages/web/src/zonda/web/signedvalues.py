"""Signed values: text that a client can read and hand back, but not change.

In: a secret, a name, a value. Out: ``bytes`` fit for a cookie; and back again. What a client hands
back and this process (or another one with the secret) has not made is None, never an exception.
`ValueError` and `TypeError` tell the program of its own mistakes only.

=======  ==========================================================================================
format   layout; ``|`` ends each field, and the signature covers all before it
=======  ==========================================================================================
2        ``2|k:KEY_VERSION|t:TIMESTAMP|n:NAME|v:BASE64|`` and HMAC-SHA256 in hexadecimal digits,
         where k, t, n and v are the lengths of what follows: no byte can move from one field into
         another, and a value signed for one name is none for another
1        ``BASE64|TIMESTAMP|`` and HMAC-SHA1 of name, value and time run together; only read, and
         only where ``min_version`` allows it, or written when asked for
=======  ==========================================================================================

Both are those of Tornado: what one signs the other accepts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from zonda.httputil.escape import utf8

Secret = str | bytes | Mapping[int, str] | Mapping[int, bytes]
"""One key, or several by their versions, of which new values are signed with one."""

MIN_SUPPORTED_SIGNED_VALUE_VERSION: Final = 1
"""The oldest format that can be read and written."""

MAX_SUPPORTED_SIGNED_VALUE_VERSION: Final = 2
"""The newest format that can be read and written."""

DEFAULT_SIGNED_VALUE_VERSION: Final = 2
"""The format that is written unless another is asked for."""

DEFAULT_SIGNED_VALUE_MIN_VERSION: Final = 1
"""The oldest format that is read unless a later one is asked for."""

_DAY: Final = 86400
# How far a clock elsewhere may be ahead when it writes format 1.
_FUTURE_DAYS: Final = 31
# A number of at most three digits before the first bar is a format; format 1 has base64 there,
# which always has four characters or more.
_VERSION: Final = re.compile(rb"([1-9][0-9]{0,2})\|")
_LENGTH: Final = re.compile(rb"([0-9]{1,9}):")
_NUMBER: Final = re.compile(rb"[0-9]{1,18}")


class _Fields(NamedTuple):
    """What a value of format 2 says before anybody has checked its signature."""

    key_version: int
    timestamp: int
    name: bytes
    value: bytes
    signed: bytes
    signature: bytes


def create_signed_value(
    secret: Secret,
    name: str,
    value: str | bytes,
    version: int | None = None,
    clock: Callable[[], float] | None = None,
    key_version: int | None = None,
) -> bytes:
    """Sign a value.

    Args:
        secret: The key; or keys by version, with ``key_version`` naming the one to use.
        name: What it is the value of; must be the same when it is read.
        value: Text (signed as UTF-8) or bytes.
        version: The format, `DEFAULT_SIGNED_VALUE_VERSION` if None.
        clock: Gives the seconds since 1970 in place of `time.time`.
        key_version: The key's version, which is written into the value (format 2 only).

    Raises:
        ValueError: There is no such format; ``secret`` has several keys and none is named.
        KeyError: ``secret`` has no key of this version.

    >>> signed = create_signed_value("secret", "user", "ann", clock=lambda: 1300000000)
    >>> signed[:44]
    b'2|1:0|10:1300000000|4:user|4:YW5u|9380702591'
    >>> decode_signed_value("secret", "user", signed, clock=lambda: 1300000060)
    b'ann'
    """
    if version is None:
        version = DEFAULT_SIGNED_VALUE_VERSION
    if version not in (1, 2):
        raise ValueError(f"there is no version {version} of signed values")
    timestamp = b"%d" % int((clock or time.time)())
    encoded = base64.b64encode(utf8(value))
    if version == 1:
        if not isinstance(secret, str | bytes):
            raise ValueError("signed values of version 1 have no key versions: give one key")
        return b"|".join((encoded, timestamp, _sign_1(secret, utf8(name), encoded, timestamp)))
    if not isinstance(secret, str | bytes):
        if key_version is None:
            raise ValueError("key_version says which of several keys is to be used")
        secret = secret[key_version]
    fields = (b"%d" % (key_version or 0), timestamp, utf8(name), encoded)
    signed = b"2|" + b"".join([b"%d:%b|" % (len(field), field) for field in fields])
    return signed + _sign_2(secret, signed)


def decode_signed_value(
    secret: Secret,
    name: str,
    value: str | bytes | None,
    max_age_days: float = 31,
    clock: Callable[[], float] | None = None,
    min_version: int | None = None,
) -> bytes | None:
    """Return what was signed, or None for what was not, or not with this secret, or too long ago.

    Args:
        secret: The key, or keys by version.
        name: What it was signed as the value of.
        value: What `create_signed_value` has returned, as it came back.
        max_age_days: Older ones are None.
        clock: Gives the seconds since 1970 in place of `time.time`.
        min_version: The oldest format to accept, `DEFAULT_SIGNED_VALUE_MIN_VERSION` if None.

    Raises:
        ValueError: ``min_version`` is later than any format.
    """
    if min_version is None:
        min_version = DEFAULT_SIGNED_VALUE_MIN_VERSION
    if min_version > MAX_SUPPORTED_SIGNED_VALUE_VERSION:
        raise ValueError(f"there is no version {min_version} of signed values")
    if not value:
        return None
    signed = _as_bytes(value)
    version = _version_of(signed)
    if version < min_version:
        return None
    now = (clock or time.time)()
    oldest = now - max_age_days * _DAY
    if version == 1:
        return _decode_1(secret, utf8(name), signed, oldest, now + _FUTURE_DAYS * _DAY)
    if version == 2:
        return _decode_2(secret, utf8(name), signed, oldest)
    return None


def get_signature_key_version(value: str | bytes | None) -> int | None:
    """Return the version of the key that a value claims to be signed with; None if it has none.

    >>> get_signature_key_version(create_signed_value({7: "secret"}, "a", "b", key_version=7))
    7
    """
    if not value:
        return None
    signed = _as_bytes(value)
    fields = _parse_2(signed) if _version_of(signed) == 2 else None
    return None if fields is None else fields.key_version


def _as_bytes(value: str | bytes) -> bytes:
    # A lone surrogate, which a client cannot send but a test may, is no part of anything signed.
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def _version_of(value: bytes) -> int:
    match = _VERSION.match(value)
    return int(match[1]) if match else 1


def _decode_1(
    secret: Secret, name: bytes, value: bytes, oldest: float, newest: float
) -> bytes | None:
    parts = value.split(b"|")
    if len(parts) != 3 or not isinstance(secret, str | bytes):
        return None
    encoded, timestamp, signature = parts
    if not hmac.compare_digest(signature, _sign_1(secret, name, encoded, timestamp)):
        return None
    # Name, value and time are signed run together, so that characters could move between the
    # latter two. Digits are all that can move into the time, and they would lead it far into the
    # future, unless they were zeros.
    if not _NUMBER.fullmatch(timestamp) or timestamp.startswith(b"0"):
        return None
    return _unbase64(encoded) if oldest <= int(timestamp) <= newest else None


def _decode_2(secret: Secret, name: bytes, value: bytes, oldest: float) -> bytes | None:
    fields = _parse_2(value)
    if fields is None:
        return None
    key = secret if isinstance(secret, str | bytes) else secret.get(fields.key_version)
    if key is None or not hmac.compare_digest(fields.signature, _sign_2(key, fields.signed)):
        return None
    if fields.name != name or fields.timestamp < oldest:
        return None
    return _unbase64(fields.value)


def _parse_2(value: bytes) -> _Fields | None:
    fields = []
    position = 2
    for _ in range(4):
        length = _LENGTH.match(value, position)
        if length is None:
            return None
        end = length.end() + int(length[1])
        if value[end : end + 1] != b"|":
            return None
        fields.append(value[length.end() : end])
        position = end + 1
    key_version, timestamp, name, encoded = fields
    if not (_NUMBER.fullmatch(key_version) and _NUMBER.fullmatch(timestamp)):
        return None
    return _Fields(
        int(key_version), int(timestamp), name, encoded, value[:position], value[position:]
    )


def _unbase64(value: bytes) -> bytes | None:
    try:
        return base64.b64decode(value)
    except binascii.Error:
        return None


def _sign_1(secret: str | bytes, *parts: bytes) -> bytes:
    mac = hmac.new(utf8(secret), digestmod=hashlib.sha1)
    for part in parts:
        mac.update(part)
    return mac.hexdigest().encode()


def _sign_2(secret: str | bytes, signed: bytes) -> bytes:
    return hmac.new(utf8(secret), signed, hashlib.sha256).hexdigest().encode()
