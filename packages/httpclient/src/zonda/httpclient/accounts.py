"""Who a client is, at which origin: from requests to the objects that make header values.

In: what a request says of user and password. Out: an `Authentication`, the same one for the same
user at the same place, so that the nonces of the Digest scheme are used again. Raises
`HTTPRequestError` for a mode that is unknown and a name that the mode cannot carry.
"""

from collections.abc import Callable, Hashable
from typing import Final
from urllib.parse import unquote, urlsplit

from zonda.httpclient.authentication import (
    Authentication,
    BasicAuthentication,
    DigestAuthentication,
)
from zonda.httpclient.errors import HTTPRequestError

_Text = str | bytes

_MODES: Final[dict[str, Callable[[_Text, _Text], Authentication]]] = {
    "basic": BasicAuthentication,
    "digest": DigestAuthentication,
}


class Accounts:
    """The accounts of one client.

    Args:
        limit: How many are remembered; the one unused longest is forgotten for a new one.

    >>> accounts = Accounts()
    >>> one = accounts.get("digest", "http://example.com", "user", "secret")
    >>> one is accounts.get("digest", "http://example.com", "user", "secret")
    True
    """

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._known: dict[Hashable, Authentication] = {}

    def get(
        self,
        mode: str | None,
        place: Hashable,
        username: str | bytes,
        password: str | bytes | None,
    ) -> Authentication:
        """The authentication of a user.

        Args:
            mode: ``"basic"``, ``"digest"`` or None, which is basic.
            place: An origin, or a proxy.
            username: Who it is: str (UTF-8), or bytes as they are to be sent.
            password: None is an empty one.

        Raises:
            HTTPRequestError: Another mode, or a name or password that it cannot carry.
        """
        mode = mode or "basic"
        make = _MODES.get(mode)
        if make is None:
            raise HTTPRequestError(f"unsupported authentication mode {mode!r}")
        password = password or ""
        key = (mode, place, username, password)
        found = self._known.pop(key, None)
        if found is None:
            try:
                found = make(username, password)
            except ValueError as error:
                raise HTTPRequestError(str(error)) from error
            if len(self._known) >= self._limit:
                del self._known[next(iter(self._known))]
        self._known[key] = found  # at the end: used last
        return found


def user_of(
    url: str, username: str | bytes | None, password: str | bytes | None
) -> tuple[str | bytes, str | bytes] | None:
    """User name and password for a request, None if it has none.

    Args:
        url: Its URL, whose user information counts most.
        username: Its ``auth_username``; an empty one without a password is none.
        password: Its ``auth_password``.

    >>> user_of("http://user:p%40ss@example.com/", None, None)
    ('user', 'p@ss')
    """
    if "@" in url:
        parts = urlsplit(url)
        if parts.username is not None:
            return unquote(parts.username), unquote(parts.password or "")
    if username is None or not (username or password):
        return None
    return username, password or ""
