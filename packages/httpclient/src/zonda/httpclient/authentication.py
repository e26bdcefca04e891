"""Credentials as header values: the Basic (RFC 7617) and the Digest scheme (RFC 7616).

In: user name and password, the challenges of a response. Out: the value of an Authorization (or
Proxy-Authorization) field, None while there is no challenge to answer, and whether a refused
request is worth repeating. Raises ValueError for names and passwords that a scheme cannot carry.
No I/O and no clock; randomness only for nonces.

A driver asks before it sends a request and tells what came back::

    attempt = authentication.begin()
    while True:
        value = attempt.authorization(method, target, content)   # None: send none
        ...                                             # send, receive
        if status != 401 or not attempt.refused(headers.get_list("WWW-Authenticate")):
            break
"""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol
from urllib.parse import quote

from zonda.httpclient.challenges import Challenge, parse_challenges
from zonda.httputil.credentials import format_basic

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_QUOTED_STRING: Final = re.compile(r"[^\t\x20-\x7e]")


class Attempt(Protocol):
    """One request and its repetitions, as far as credentials are concerned."""

    def authorization(self, method: str, target: str, content: bytes | None = b"") -> str | None:
        """The value to send with the next repetition, None to send none.

        Args:
            method: Method of the request.
            target: Request target exactly as on the request line.
            content: Its content; None if that is not known yet.
        """

    def refused(self, challenges: Iterable[str]) -> bool:
        """Learn from a 401 (or 407).

        Args:
            challenges: Values of its WWW-Authenticate (Proxy-Authenticate) fields.

        Returns:
            Whether to repeat the request: the credentials have not been judged yet.
        """


class Authentication(Protocol):
    """User name and password under a scheme; shared by all requests to an origin (or proxy)."""

    def begin(self) -> Attempt:
        """What a new request needs."""


class BasicAuthentication:
    """Sends user name and password at once, for they are all that it has to say.

    Args:
        username: str (sent as UTF-8, normal form C) or bytes.
        password: The same.

    Raises:
        ValueError: A colon in the user name, a control character in either.

    >>> BasicAuthentication("Aladdin", "open sesame").begin().authorization("GET", "/")
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='
    """

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self._value = format_basic(username, password)

    def begin(self) -> "BasicAuthentication":
        """Itself: there is nothing to remember."""
        return self

    def authorization(self, method: str, target: str, content: bytes | None = b"") -> str:
        """The same value for every request."""
        return self._value

    def refused(self, challenges: Iterable[str]) -> bool:
        """False: the credentials were sent, and are wrong."""
        return False


# The server lists what it prefers first (RFC 7616 §3.7): the first one that is here is taken.
_HASHES: Final = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


class DigestAuthentication:
    """Proves to know the password without sending it.

    The first request goes out bare and is repeated once the server has sent a nonce; later ones
    use that nonce at once, counting, until the server wants another. Spoken are ``qop=auth``, the
    form of RFC 2069 without qop, and ``auth-int`` for servers that want nothing else, unless the
    content is produced while it is sent: its hash has to come first. Algorithms are MD5, SHA-256,
    SHA-512-256 where OpenSSL has it, and their ``-sess`` variants.

    Args:
        username: str (UTF-8, normal form C) or UTF-8 bytes.
        password: The same.
        make_nonce: Makes the client's nonces; random ones by default.

    Raises:
        ValueError: A control character in either, or a colon in the user name.

    >>> digest = DigestAuthentication("Mufasa", "Circle of Life", lambda: "0a4f113b")
    >>> attempt = digest.begin()
    >>> attempt.authorization("GET", "/") is None
    True
    >>> attempt.refused(['Digest realm="a", nonce="b", qop="auth"'])
    True
    >>> attempt.authorization("GET", "/")  # doctest: +ELLIPSIS
    'Digest username="Mufasa", realm="a", nonce="b", uri="/", response="...", ..., nc=00000001'
    """

    def __init__(
        self,
        username: str | bytes,
        password: str | bytes,
        make_nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._username = _text(username)
        self._password = _text(password)
        if _CONTROL.search(self._username + self._password):
            raise ValueError("user name and password must not have control characters in them")
        if ":" in self._username:
            raise ValueError("a user name must not have a colon in it")
        self._make_nonce = make_nonce
        self._protection: _Protection | None = None

    def begin(self) -> "DigestAttempt":
        """What a new request needs; it starts with the newest nonce known."""
        return DigestAttempt(self)

    def authorization(self, method: str, target: str, content: bytes | None = b"") -> str | None:
        """The value for a request, None before the first challenge that it can answer."""
        if self._protection is None:
            return None
        return self._protection.authorization(method, target, content)

    def learn(self, challenges: Iterable[str], has_content: bool = True) -> Challenge | None:
        """Take the first challenge that can be answered; None and no change if there is none.

        Args:
            challenges: Values of the fields.
            has_content: Whether the content of the request is known before it is sent.
        """
        for challenge in parse_challenges(challenges):
            if challenge.scheme == "digest" and _can_answer(challenge, has_content):
                self._protection = _Protection(
                    challenge, self._username, self._password, self._make_nonce()
                )
                return challenge
        return None


class DigestAttempt:
    """One request under `DigestAuthentication`, see `Attempt`."""

    def __init__(self, authentication: DigestAuthentication) -> None:
        self._authentication = authentication
        self._answered = False  # a nonce that was made for this very request
        self._stale = False  # that one was too old already, once
        self._has_content = True

    def authorization(self, method: str, target: str, content: bytes | None = b"") -> str | None:
        """See `Attempt`."""
        self._has_content = content is not None
        return self._authentication.authorization(method, target, content)

    def refused(self, challenges: Iterable[str]) -> bool:
        """See `Attempt`. An answer to a fresh nonce that is refused settles the matter."""
        challenge = self._authentication.learn(challenges, self._has_content)
        if challenge is None:
            return False
        if not self._answered:
            self._answered = True
            return True
        stale = challenge.parameters.get("stale", "").lower() == "true"
        if stale and not self._stale:
            self._stale = True
            return True
        return False


class _Protection:
    """The answer to one challenge: its nonce and how often it was used."""

    def __init__(self, challenge: Challenge, username: str, password: str, cnonce: str) -> None:
        parameters = challenge.parameters
        algorithm = parameters.get("algorithm", "MD5")
        name = algorithm.upper().removesuffix("-SESS")
        session = name != algorithm.upper()
        self._hash_name = _HASHES[name]
        self._qop = _quality(parameters)
        # What the server said is octets, each a character here; what the user said is UTF-8.
        self._nonce = parameters["nonce"].encode("latin-1")
        self._cnonce = cnonce.encode("ascii")
        self._count = 0
        user, realm = username.encode(), parameters["realm"].encode("latin-1")
        self._secret = self._hash(user, realm, password.encode())
        if session:
            self._secret = self._hash(self._secret, self._nonce, self._cnonce)
        # What of the value is the same for every request.
        hashed = parameters.get("userhash", "").lower() == "true"
        if hashed:
            self._start = f'username="{self._hash(user, realm).decode()}"'
        elif _NOT_IN_QUOTED_STRING.search(username):
            self._start = f"username*=UTF-8''{quote(username, safe='')}"
        else:
            self._start = f"username={_quoted(username)}"
        self._start += f", realm={_quoted(parameters['realm'])}"
        self._start += f", nonce={_quoted(parameters['nonce'])}"
        self._end = f", algorithm={algorithm}" if "algorithm" in parameters else ""
        if "opaque" in parameters:
            self._end += f", opaque={_quoted(parameters['opaque'])}"
        if hashed:
            self._end += ", userhash=true"
        if self._qop is not None or session:
            self._end += f', cnonce="{cnonce}"'

    def authorization(self, method: str, target: str, content: bytes | None) -> str | None:
        parts = [method.encode("latin-1"), target.encode("latin-1")]
        if self._qop == "auth-int":
            if content is None:
                return None
            parts.append(self._hash(content))
        action = self._hash(*parts)
        if self._qop is not None:
            self._count += 1
            count = f"{self._count:08x}"
            qop = self._qop.encode()
            response = self._hash(
                self._secret, self._nonce, count.encode(), self._cnonce, qop, action
            )
            end = f"{self._end}, qop={self._qop}, nc={count}"
        else:
            response = self._hash(self._secret, self._nonce, action)
            end = self._end
        return f'Digest {self._start}, uri={_quoted(target)}, response="{response.decode()}"{end}'

    def _hash(self, *parts: bytes) -> bytes:
        # Not for security, as OpenSSL sees it: MD5 must work where a policy forbids it for that.
        digest = hashlib.new(self._hash_name, b":".join(parts), usedforsecurity=False)
        return digest.hexdigest().encode()


def _can_answer(challenge: Challenge, has_content: bool) -> bool:
    parameters = challenge.parameters
    name = parameters.get("algorithm", "MD5").upper().removesuffix("-SESS")
    quality = _quality(parameters)
    return (
        "realm" in parameters
        and "nonce" in parameters
        and _HASHES.get(name) in hashlib.algorithms_available
        and (quality is not None or "qop" not in parameters)
        and (quality != "auth-int" or has_content)
    )


def _quality(parameters: Mapping[str, str]) -> str | None:
    """Which of the qualities of protection to use; None if there is none, or none that is known."""
    offered = [each.strip().lower() for each in parameters.get("qop", "").split(",")]
    # The cheaper one first. What the other protects besides is the content, not the head.
    return next((each for each in ("auth", "auth-int") if each in offered), None)


def _quoted(text: str) -> str:
    """A quoted-string of what has no control characters: neither header values nor our own do."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(text: str | bytes) -> str:
    """Normal form C, as RFC 7616 §4 asks for the sake of equal hashes."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError("user name and password have to be UTF-8") from error
    return unicodedata.normalize("NFC", text)
