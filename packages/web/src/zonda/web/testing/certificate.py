"""A certificate for ``localhost``, made on the spot and good for a month: no file that expires.

In: nothing. Out: paths of a certificate and its key, in a folder that goes away with the process.
The key is of the curve P-256 and the signature ECDSA with SHA-256 (FIPS 186-5), the certificate
X.509 version 3 (RFC 5280), issued by itself so that trusting it is all a client needs. It takes
about 20 milliseconds of plain Python, in time that depends on the key: for tests, and nothing else.
"""

import atexit
import datetime
import functools
import hashlib
import ipaddress
import os
import secrets
import shutil
import ssl
import tempfile
from typing import Final, NamedTuple

NAMES: Final = ("localhost", "127.0.0.1", "::1")
"""What the certificate is for."""
VALIDITY: Final = datetime.timedelta(days=30)
"""How long it is valid."""

# The curve P-256: y² = x³ - 3x + b over integers modulo P; N multiples of G come back to G.
_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G: Final = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

Point = tuple[int, int]


class Certificate(NamedTuple):
    """Where a certificate and its key are.

    Attributes:
        certfile: The certificate (PEM).
        keyfile: Its private key (PEM).
    """

    certfile: str
    keyfile: str

    def server_context(self) -> ssl.SSLContext:
        """Return a context for a server that shows it."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certfile, self.keyfile)
        return context

    def client_context(self) -> ssl.SSLContext:
        """Return a context for a client that verifies it, and trusts nothing else."""
        return ssl.create_default_context(cafile=self.certfile)


@functools.cache
def self_signed() -> Certificate:
    """Return a certificate for `NAMES`, the same one for the whole process.

    >>> self_signed().client_context().verify_mode.name
    'CERT_REQUIRED'
    """
    folder = tempfile.mkdtemp(prefix="zonda-testing-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    certificate = Certificate(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
    key = secrets.randbelow(_N - 1) + 1
    public = _multiply(key, _G)
    for path, label, der in (
        (certificate.certfile, "CERTIFICATE", _certificate(key, public)),
        (certificate.keyfile, "EC PRIVATE KEY", _private_key(key, public)),
    ):
        with open(path, "w", encoding="ascii") as file:
            file.write(ssl.DER_cert_to_PEM_cert(der).replace("CERTIFICATE", label))
    return certificate


# -- ECDSA ---------------------------------------------------------------------------------------


def _add(one: Point | None, two: Point | None) -> Point | None:
    """Add points of the curve; None is the neutral one."""
    if one is None or two is None:
        return one or two
    if one[0] == two[0]:
        if (one[1] + two[1]) % _P == 0:
            return None
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, _P) % _P
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, _P) % _P
    x = (slope * slope - one[0] - two[0]) % _P
    return x, (slope * (one[0] - x) - one[1]) % _P


def _multiply(factor: int, point: Point) -> Point:
    total: Point | None = None
    power: Point | None = point
    while factor:
        if factor & 1:
            total = _add(total, power)
        power = _add(power, power)
        factor >>= 1
    assert total is not None
    return total


def _sign(key: int, data: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(data).digest(), "big")
    while True:
        nonce = secrets.randbelow(_N - 1) + 1
        r = _multiply(nonce, _G)[0] % _N
        s = pow(nonce, -1, _N) * (digest + r * key) % _N
        if r and s:
            return _sequence(_integer(r), _integer(s))


# -- DER (X.690) ---------------------------------------------------------------------------------


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _integer(value: int) -> bytes:
    return _tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _bits(content: bytes, unused: int = 0) -> bytes:
    return _tagged(0x03, bytes((unused,)) + content)


def _octets(content: bytes) -> bytes:
    return _tagged(0x04, content)


def _identifier(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    encoded = bytearray((first * 40 + second,))
    for number in rest:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(number & 0x7F | 0x80)
        encoded += bytes(reversed(digits))
    return _tagged(0x06, bytes(encoded))


def _time(moment: datetime.datetime) -> bytes:
    if moment.year < 2050:  # RFC 5280 §4.1.2.5
        return _tagged(0x17, f"{moment:%y%m%d%H%M%SZ}".encode())
    return _tagged(0x18, f"{moment:%Y%m%d%H%M%SZ}".encode())


# -- the structures of RFC 5280 and RFC 5915 -----------------------------------------------------

_CURVE: Final = "1.2.840.10045.3.1.7"
_TRUE: Final = b"\x01\x01\xff"


def _encoded(public: Point) -> bytes:
    return b"\x04" + b"".join(number.to_bytes(32, "big") for number in public)


def _private_key(key: int, public: Point) -> bytes:
    return _sequence(
        _integer(1),
        _octets(key.to_bytes(32, "big")),
        _tagged(0xA0, _identifier(_CURVE)),
        _tagged(0xA1, _bits(_encoded(public))),
    )


def _alternative_name(name: str) -> bytes:
    try:
        return _tagged(0x87, ipaddress.ip_address(name).packed)
    except ValueError:
        return _tagged(0x82, name.encode("ascii"))


def _certificate(key: int, public: Point) -> bytes:
    algorithm = _sequence(_identifier("1.2.840.10045.4.3.2"))
    name = _sequence(
        _tagged(0x31, _sequence(_identifier("2.5.4.3"), _tagged(0x0C, b"Zonda test certificate")))
    )
    now = datetime.datetime.now(datetime.UTC)
    public_key = _sequence(
        _sequence(_identifier("1.2.840.10045.2.1"), _identifier(_CURVE)), _bits(_encoded(public))
    )
    key_id = hashlib.sha256(_encoded(public)).digest()[:20]
    extensions = (
        ("2.5.29.19", True, _sequence(_TRUE)),  # a CA: its own
        ("2.5.29.15", True, _bits(b"\x84", 2)),  # digitalSignature, keyCertSign
        ("2.5.29.37", False, _sequence(_identifier("1.3.6.1.5.5.7.3.1"))),  # serverAuth
        ("2.5.29.14", False, _octets(key_id)),
        ("2.5.29.35", False, _sequence(_tagged(0x80, key_id))),
        ("2.5.29.17", False, _sequence(*map(_alternative_name, NAMES))),
    )
    to_be_signed = _sequence(
        _tagged(0xA0, _integer(2)),  # version 3
        _integer(secrets.randbits(120)),
        algorithm,
        name,
        # Clocks differ.
        _sequence(_time(now - datetime.timedelta(days=1)), _time(now + VALIDITY)),
        name,
        public_key,
        _tagged(
            0xA3,
            _sequence(
                *(
                    _sequence(_identifier(oid), _TRUE if critical else b"", _octets(value))
                    for oid, critical, value in extensions
                )
            ),
        ),
    )
    return _sequence(to_be_signed, algorithm, _bits(_sign(key, to_be_signed)))
