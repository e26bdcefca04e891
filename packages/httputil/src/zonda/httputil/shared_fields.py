"""Field sections that many `HTTPHeaders` begin with: made once, copied only by who changes them.

`SharedFields` is what a client repeats with each request of a connection, `FieldTemplate` what a
server's responses begin with. Both come from valid fields and check nothing. `HTTPHeaders` reads
from them as long as it is not written to, and takes a copy of its own before it is.
"""

from collections.abc import Iterable
from typing import Final

from zonda.httputil.field_names import CANONICAL_NAMES

#: Fields that say where a message ends, or whether another one follows.
FRAMING: Final = frozenset(("Connection", "Content-Length", "Transfer-Encoding"))


def split_fields(lines: Iterable[str]) -> tuple[dict[str, str], dict[str, list[str]] | None]:
    """Valid field lines as a mapping.

    Returns:
        Canonical names to values; and all values of the names that occur several times, `None`
        without any. The value of such a name in the first mapping is not specified.
    """
    fields: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    known = CANONICAL_NAMES
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            name = known[name]
            if name not in fields:
                fields[name] = value.strip(" \t")
                continue
            if name not in repeated:
                repeated[name] = [fields[name]]
            repeated[name].append(value.strip(" \t"))
    return fields, repeated or None


class SharedFields:
    r"""A validated field section; split when it is asked for the second time, for all who share it.

    Args:
        text: Its lines, each with its CRLF.

    Attributes:
        text: The same.
        asked: Whether a field has been looked up in `text`: the first question is answered from
            there, because most messages are asked a single one.
        fields: Canonical names to values, repeated ones joined with commas; `None` until `split`.
            Not to be changed.
        may_upgrade: Whether there may be an ``Upgrade`` field: cheaper than to ask for it.
        no_form: Whether somebody has found out that ``Content-Type`` is none of a form's.
        pairs: Room for who wants them in another form: as octets, names in lower case (ASGI).

    >>> SharedFields("Host: a\r\nVia: x\r\nVia: y\r\n").split()
    {'Host': 'a', 'Via': 'x,y'}
    """

    __slots__ = ("_repeated", "asked", "fields", "may_upgrade", "no_form", "pairs", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked = False
        self.may_upgrade = "pgrade:" in text or "PGRADE:" in text
        self.fields: dict[str, str] | None = None
        self._repeated: dict[str, list[str]] | None = None
        self.no_form = False
        self.pairs: list[tuple[bytes, bytes]] | None = None

    def split(self) -> dict[str, str]:
        """`fields`, made now if need be."""
        fields = self.fields
        if fields is None:
            fields, self._repeated = split_fields(self.text.split("\r\n"))
            for name, values in (self._repeated or {}).items():
                fields[name] = ",".join(values)
            self.fields = fields
        return fields

    def copies(self) -> tuple[dict[str, str], dict[str, list[str]] | None]:
        """`fields`, and the single values of repeated ones, for somebody who may change them."""
        fields = self.split().copy()
        repeated = self._repeated
        return fields, repeated and {name: values.copy() for name, values in repeated.items()}


class FieldTemplate:
    r"""Fields that responses begin with, as text that is ready to be sent.

    Made by `HTTPHeaders.template`. Headers that begin with it only note what is added to it, and
    which variant of it they have where another value is set.

    Args:
        fields: Canonical names to valid values; none of `FRAMING`.

    Attributes:
        fields: The same; not to be changed.
        text: Their lines, each with its CRLF.
        closed: Names that cannot be added behind `text`: those in it, and `FRAMING`.

    >>> FieldTemplate({"Server": "Zonda"}).text
    'Server: Zonda\r\n'
    """

    __slots__ = ("_variants", "closed", "fields", "text")

    VARIANTS = 16

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = fields
        self._variants: dict[tuple[str, str], FieldTemplate] = {}
        self.text = "".join([f"{name}: {value}\r\n" for name, value in fields.items()])
        self.closed = FRAMING.union(fields)

    def variant(self, name: str, value: str) -> "FieldTemplate | None":
        """The same with another value of one of its fields; kept, as many responses want it.

        Args:
            name: The field, canonical.
            value: A valid value.

        Returns:
            `None` if it is none of its fields, or if there are `VARIANTS` of it already: values
            that are never the same twice are not for templates.
        """
        variant = self._variants.get((name, value))
        if variant is None and name in self.fields and len(self._variants) < self.VARIANTS:
            variant = FieldTemplate({**self.fields, name: value})
            self._variants[name, value] = variant
        return variant
