r"""The Forwarded field (RFC 7239): who a proxy has spoken to, and how.

In: the value of the field. Out: one `Forwarded` for each proxy, the nearest last. Nothing is
raised: what cannot be read is None. Linear in the length of the value.
"""

import re
from typing import NamedTuple

from zonda.httputil.parameters import parse_parameters

# An element, up to a comma outside quotes. Possessive: no character is looked at twice.
_ELEMENT = re.compile(r'(?:[^,"]++|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z))++', re.DOTALL)
_NODE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5}|:_[A-Za-z0-9._\-]+)?")


class Forwarded(NamedTuple):
    """What one proxy says.

    Attributes:
        client: The address it was spoken to from; None if it hides it or has none.
        proto: The scheme, in lower case.
        host: The Host it has received.
    """

    client: str | None
    proto: str | None
    host: str | None


def parse_forwarded(value: str) -> list[Forwarded]:
    """Read a Forwarded field; several are to be joined with commas.

    >>> parse_forwarded('for=192.0.2.43, for="[2001:db8::17]:4711";proto=https')[1]
    Forwarded(client='2001:db8::17', proto='https', host=None)
    """
    found = []
    for element in _ELEMENT.findall(value):
        _, parameters = parse_parameters(";" + element.strip(" \t"))
        node = _NODE.fullmatch(parameters.get("for", ""))
        proto = parameters.get("proto")
        found.append(
            Forwarded(
                (node[1] or node[2]) if node else None,
                proto.lower() if proto else None,
                parameters.get("host"),
            )
        )
    return found
