"""Whom to believe: addresses and networks of one's own proxies."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

_REMEMBERED = 1024


class TrustedPeers:
    """A set of addresses and networks.

    Args:
        members: ``"192.0.2.1"``, ``"10.0.0.0/8"``, ``"2001:db8::/32"`` ... None for everybody.

    Raises:
        ValueError: One is neither an address nor a network.

    >>> trusted = TrustedPeers(["10.0.0.0/8", "::1"])
    >>> "10.1.2.3" in trusted, "192.0.2.1" in trusted, "nonsense" in trusted
    (True, False, False)
    """

    def __init__(self, members: Iterable[str] | None) -> None:
        self._networks: list[IPv4Network | IPv6Network] | None = None
        if members is not None:
            self._networks = [ip_network(member) for member in members]
        self._known: dict[str, bool] = {}  # the proxies are few and come again and again

    def __contains__(self, address: object) -> bool:
        if self._networks is None:
            return True
        text = str(address)
        known = self._known.get(text)
        if known is None:
            known = self._look_up(text)
            if len(self._known) < _REMEMBERED:
                self._known[text] = known
        return known

    def _look_up(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)  # what a dual-stack socket says
        networks = self._networks or ()
        return any(address in network or (mapped and mapped in network) for network in networks)
