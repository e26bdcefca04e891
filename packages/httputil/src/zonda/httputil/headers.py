"""`HTTPHeaders`, the header fields of a message (RFC 9110 §5).

In: names and values as str; a block of text (`HTTPHeaders.parse`); a block that a protocol has
validated already (`HTTPHeaders.from_block`). Out: a mutable mapping that ignores the case of names,
joins the values of a repeated field with commas and gives them one by one in `get_list` and
`get_all`. Raises `InvalidFieldName` and `InvalidFieldValue`, both `HTTPInputError` and ValueError,
when a field is put in that must not be on the wire, and `HTTPInputError` for text that is not a
field section.

Speed: a block is kept as it came until it is asked for more than one field; a repeated field is
joined at the first access after it was added to (so that 15,000 equal lines cost linear time);
names are made canonical through a bounded table instead of by string operations. Headers that
begin with a section of `zonda.httputil.shared_fields` copy it only when they are written to.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Final, Self, TypeVar, overload

from zonda.httputil.errors import HTTPInputError, InvalidFieldValue
from zonda.httputil.field_names import CANONICAL_NAMES, canonical_name
from zonda.httputil.shared_fields import FRAMING, FieldTemplate, SharedFields, split_fields

HTTP_WHITESPACE: Final = " \t"
"""Optional whitespace around values (RFC 9110 section 5.6.3)."""

_D = TypeVar("_D")

# What may not be in a value: control characters but TAB, and what is no octet: each character of a
# str stands for one. At the ends of a value that is added: white space, which would not come back.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_IN_FIELDS: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\u0100-\U0010ffff]")
_NOT_IN_ADDED: Final = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f\u0100-\U0010ffff]|\A[ \t]|[ \t]\Z",
)

# Stands in the mapping for the value of a repeated field that has to be joined anew. Compared by
# identity: built at run time so that no other string, however equal, is this object.
_STALE: Final = "".join(("not ", "joined"))


class HTTPHeaders(MutableMapping[str, str]):
    r"""Header fields: a mapping from names, in any case, to values.

    Names come out in ``Http-Header-Case``. `h[name]` of a field that occurs several times is its
    values joined with commas; setting it replaces them all, `add` keeps them. Field order is that
    of the first occurrence.

    Takes what dict takes, or another `HTTPHeaders` (whose repeated fields stay apart).

    Raises:
        InvalidFieldName: A name put in is not a token.
        InvalidFieldValue: A value put in has a control character other than TAB, or a character
            beyond U+00FF.

    >>> h = HTTPHeaders({"content-type": "text/html"})
    >>> h.add("Set-Cookie", "A=B")
    >>> h.add("Set-Cookie", "C=D")
    >>> h["set-cookie"]
    'A=B,C=D'
    >>> h.get_list("Set-Cookie")
    ['A=B', 'C=D']
    >>> list(h)
    ['Content-Type', 'Set-Cookie']
    """

    # _fields: canonical name -> value, or _STALE; unspecified while _block is not None, but for a
    #     template: what was added to it.
    # _repeated: canonical name -> all values, for fields that occur several times; None for none.
    # _block: a validated field section that is not split yet; in a tuple once `get` has read it.
    #     One that others share stays here as long as nothing is changed.
    __slots__ = ("__weakref__", "_block", "_fields", "_repeated")

    _fields: dict[str, str]
    _repeated: dict[str, list[str]] | None
    _block: bytes | str | tuple[str] | SharedFields | FieldTemplate | None

    @overload
    def __init__(self, headers: Mapping[str, str], /, **kwargs: str) -> None: ...
    @overload
    def __init__(self, headers: Iterable[tuple[str, str]] = (), /, **kwargs: str) -> None: ...
    def __init__(
        self, headers: Mapping[str, str] | Iterable[tuple[str, str]] = (), /, **kwargs: str
    ) -> None:
        self._fields = {}
        self._repeated = None
        self._block = None
        if headers:
            if isinstance(headers, HTTPHeaders):
                self._copy_from(headers)
            else:
                self.update(headers)
        if kwargs:
            self.update(kwargs)

    # Ways in and out for the protocols and the web layer.

    @classmethod
    def from_block(cls, block: bytes | str) -> Self:
        r"""Headers from a field section that has been validated already; built at the first access.

        Args:
            block: Field lines separated by CRLF, with or without a CRLF (or the empty line) at the
                end. bytes are read as Latin-1. The caller has checked that each line is a token, a
                colon and a value without control characters: this method checks nothing.

        >>> HTTPHeaders.from_block(b"Host: example.com\r\nAccept: */*\r\n")["host"]
        'example.com'
        """
        self = cls.__new__(cls)
        self._block = block
        return self

    @classmethod
    def from_shared(cls, fields: SharedFields) -> Self:
        r"""Headers that are those of others, too, until they are changed.

        >>> headers = HTTPHeaders.from_shared(SharedFields("Host: a\r\nVia: b\r\n"))
        >>> headers["Via"], len(headers)
        ('b', 2)
        """
        self = cls.__new__(cls)
        self._block = fields
        return self

    @classmethod
    def _from_canonical(cls, fields: dict[str, str]) -> Self:
        # Headers that start as a copy of `fields`, whose names are canonical and whose values are
        # valid.
        self = cls.__new__(cls)
        self._fields = fields.copy()
        self._repeated = None
        self._block = None
        return self

    @classmethod
    def from_template(cls, template: FieldTemplate) -> Self:
        """Headers that begin with the fields of a template, which stays as it is.

        Making them costs nothing per field, and neither does sending them, as long as fields are
        only added.

        >>> headers = HTTPHeaders.from_template(HTTPHeaders({"Server": "Zonda"}).template())
        >>> headers["Etag"] = '"1"'
        >>> headers
        HTTPHeaders([('Server', 'Zonda'), ('Etag', '"1"')])
        """
        self = cls.__new__(cls)
        self._block = template
        self._fields = {}
        return self

    def template(self) -> FieldTemplate:
        """A template of these fields as they are now, for `from_template`.

        Raises:
            ValueError: A field is repeated, or says where a message ends or whether it is the last.
        """
        fields = dict(self._pairs())
        if self._repeated is not None or not FRAMING.isdisjoint(fields):
            raise ValueError("a template has neither repeated nor framing fields")
        for name, value in fields.items():
            if _NOT_IN_FIELDS.search(value):  # `add` has a way around its checks
                raise InvalidFieldValue(name, value)
        return FieldTemplate(fields)

    def _pairs(self) -> Collection[tuple[str, str]]:
        # All (name, value) pairs, for writers. A view of the dict unless fields are repeated, so
        # that "\r\n".join(map(": ".join, headers._pairs())) runs no line of Python per field.
        if self._block is not None:
            self._build()
        if self._repeated is None:
            return self._fields.items()
        return list(self.get_all())

    def _build(self) -> None:
        block = self._block
        if block is None:
            return  # another thread was faster
        if isinstance(block, FieldTemplate):
            self._fields = {**block.fields, **self._fields}
            self._repeated = None
        elif isinstance(block, SharedFields):
            self._fields, self._repeated = block.copies()
        else:
            if isinstance(block, tuple):
                [block] = block
            elif isinstance(block, bytes):
                block = block.decode("latin-1")
            self._fields, self._repeated = split_fields(block.split("\r\n"))
            for name in self._repeated or ():
                self._fields[name] = _STALE
        self._block = None

    def _join(self, name: str) -> str:
        assert self._repeated is not None
        value = self._fields[name] = ",".join(self._repeated[name])
        return value

    def _copy_from(self, other: "HTTPHeaders") -> None:
        if other._block is not None:
            other._build()
        self._fields = other._fields.copy()
        self._repeated = other._repeated and {
            name: values.copy() for name, values in other._repeated.items()
        }
        self._block = None

    # Fields that may occur several times.

    def add(self, name: str, value: str, *, _chars_are_bytes: bool = True) -> None:
        """Add a field, beside those of the same name.

        Raises:
            InvalidFieldName: `name` is not a token.
            InvalidFieldValue: `value` has a control character other than TAB, a character beyond
                U+00FF (a field is octets, and each character stands for one), or white space at an
                end.
        """
        if self._block is not None:
            self._build()
        name = CANONICAL_NAMES[name]
        if value.__class__ is not str:
            value = _text(value)
        if (_NOT_IN_ADDED if _chars_are_bytes else _CONTROL).search(value):
            raise InvalidFieldValue(name, value)
        fields = self._fields
        if name not in fields:
            fields[name] = value
            return
        if self._repeated is None:
            self._repeated = {}
        values = self._repeated.get(name)
        if values is None:
            values = self._repeated[name] = [fields[name]]
        values.append(value)
        fields[name] = _STALE

    def get_list(self, name: str) -> list[str]:
        """All values of a field, in order; an empty list if there is none."""
        if self._block is not None:
            self._build()
        name = canonical_name(name)
        if self._repeated is not None and name in self._repeated:
            return self._repeated[name].copy()
        value = self._fields.get(name)
        return [] if value is None else [value]

    def get_all(self) -> Iterator[tuple[str, str]]:
        """All (name, value) pairs; those of a repeated field follow one another."""
        if self._block is not None:
            self._build()
        repeated = self._repeated
        if repeated is None:
            yield from self._fields.items()
            return
        for name, value in self._fields.items():
            if name in repeated:
                for each in repeated[name]:
                    yield name, each
            else:
                yield name, value

    # Text.

    @classmethod
    def parse(cls, headers: str, *, _chars_are_bytes: bool = True) -> Self:
        r"""Headers from the text of a field section, its lines ending in CRLF or LF.

        Raises:
            HTTPInputError: A line is not a field line; a folded line (RFC 9112 §5.2) is none.

        >>> sorted(HTTPHeaders.parse("Content-Type: text/html\r\nContent-Length: 42\r\n").items())
        [('Content-Length', '42'), ('Content-Type', 'text/html')]
        """
        self = cls()
        for line in headers.split("\n"):
            self.parse_line(line.removesuffix("\r"), _chars_are_bytes=_chars_are_bytes)
        return self

    def parse_line(self, line: str, *, _chars_are_bytes: bool = True) -> None:
        """Add the field of one line, with or without its line end; an empty line adds nothing.

        Raises:
            HTTPInputError: The line is not a field line.
        """
        if line.endswith("\n"):
            line = line[:-1].removesuffix("\r")
        if not line:
            return
        if line[0] in HTTP_WHITESPACE:
            raise HTTPInputError("folded or indented field line")
        name, colon, value = line.partition(":")
        if not colon:
            raise HTTPInputError("field line without a colon")
        self.add(name, value.strip(HTTP_WHITESPACE), _chars_are_bytes=_chars_are_bytes)

    def __str__(self) -> str:
        return "".join([f"{name}: {value}\n" for name, value in self.get_all()])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.get_all())!r})"

    # The mapping. Written out, for speed: MutableMapping's own methods go through exceptions.

    def __getitem__(self, name: str) -> str:
        if self._block is not None:
            if type(self._block) is SharedFields:
                shared = self.get(name)
                if shared is None:
                    raise KeyError(canonical_name(name))
                return shared
            self._build()
        value = self._fields.get(name)
        if value is None:
            name = canonical_name(name)
            value = self._fields[name]
        if value is _STALE:
            return self._join(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        name = CANONICAL_NAMES[name]
        if value.__class__ is not str:
            value = _text(value)
        # These two are several times faster than the search, and true for nearly all values.
        if not (value.isascii() and value.isprintable()) and _NOT_IN_FIELDS.search(value):
            raise InvalidFieldValue(name, value)
        block = self._block
        if block is not None:
            if type(block) is FieldTemplate:
                if name not in block.closed:
                    self._fields[name] = value
                    return
                variant = block.variant(name, value)
                if variant is not None:
                    self._block = variant
                    return
            self._build()
        self._fields[name] = value
        if self._repeated is not None:
            self._repeated.pop(name, None)

    def _put(self, name: str, value: str) -> None:
        # As `h[name] = value`, for a canonical name and a value that the writer of the message will
        # check. A call from C to Python, and looking at the value twice, would cost three times as
        # much.
        block = self._block
        if type(block) is FieldTemplate and name not in block.closed and type(value) is str:
            self._fields[name] = value
        else:
            self[name] = value

    def __delitem__(self, name: str) -> None:
        if self._block is not None:
            self._build()
        name = canonical_name(name)
        del self._fields[name]
        if self._repeated is not None:
            self._repeated.pop(name, None)

    def __contains__(self, name: object) -> bool:
        if self._block is not None:
            if type(self._block) is SharedFields and isinstance(name, str):
                return self.get(name) is not None
            self._build()
        if name in self._fields:
            return True
        return isinstance(name, str) and (canonical_name(name)) in self._fields

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str) -> str: ...
    @overload
    def get(self, name: str, /, default: _D) -> str | _D: ...
    def get(self, name: str, default: Any = None) -> Any:
        """The value of a field, or `default`."""
        block = self._block
        if block is not None:
            # One question (If-None-Match, of each GET) is not worth the mapping: the first one is
            # answered from the text.
            if type(block) is SharedFields:
                fields = block.fields
                if fields is None and block.asked:
                    fields = block.split()
                if fields is not None:
                    known = CANONICAL_NAMES.get(name)  # spares a call nearly always
                    return fields.get(known or canonical_name(name), default)
                block.asked = True
                value = _look_up(block.text, name)
            elif type(block) is str:
                self._block = (block,)  # in its tuple the block says that it was asked
                value = _look_up(block, name)
            else:
                value = _STALE
            if value is not _STALE:
                return default if value is None else value
            self._build()
        value = self._fields.get(name)
        if value is None:
            name = canonical_name(name)
            value = self._fields.get(name)
            if value is None:
                return default
        if value is _STALE:
            return self._join(name)
        return value

    def __iter__(self) -> Iterator[str]:
        if self._block is not None:
            self._build()
        return iter(self._fields)

    def __len__(self) -> int:
        if self._block is not None:
            self._build()
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Mapping):
            return dict(self.items()) == dict(other.items())
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    # Copies.

    def copy(self) -> Self:
        """A copy that shares nothing with this one."""
        return self.__copy__()

    def __copy__(self) -> Self:
        new = type(self).__new__(type(self))
        new._copy_from(self)
        if hasattr(self, "__dict__"):  # a subclass may have attributes
            new.__dict__.update(self.__dict__)
        return new

    def __getstate__(self) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        return list(self.get_all()), getattr(self, "__dict__", {})

    def __setstate__(self, state: tuple[list[tuple[str, str]], dict[str, Any]]) -> None:
        pairs, attributes = state
        HTTPHeaders.__init__(self)
        for name, value in pairs:
            self.add(name, value, _chars_are_bytes=False)
        for name, attribute in attributes.items():
            setattr(self, name, attribute)


def _look_up(text: str, name: str) -> str | None:
    """The value of a field in a valid section; None without it, _STALE if it takes the mapping."""
    if not text.isascii():
        return _STALE  # other characters may have another length in lower case
    lower = f"\n{text.lower()}"
    wanted = f"\n{name.lower()}:"
    found = lower.find(wanted)
    if found < 0:
        return None
    start = found + len(wanted) - 1
    if ":" in name or lower.find(wanted, start) >= 0:  # repeated
        return _STALE
    return text[start:].partition("\r")[0].strip(" \t")


def _text(value: object) -> str:
    # Values that are not str: octets, and numbers as programs set Content-Length.
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(f"a header value is a str, not {type(value).__name__}")
