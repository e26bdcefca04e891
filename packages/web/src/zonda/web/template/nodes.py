"""The parts that a parsed template is made of. Plain data: the parser makes it, code generation
reads it. ``line`` is the line of the template where the tag begins, counted from 1.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Text:
    """Static output, white space already treated."""

    value: str
    line: int


@dataclass(slots=True)
class Expression:
    """Python whose value is output, escaped unless it is ``raw``."""

    source: str
    line: int
    raw: bool = False


@dataclass(slots=True)
class Statement:
    """A line of Python that outputs nothing: ``set``, ``import``, ``break``..."""

    source: str
    line: int


@dataclass(slots=True)
class Branch:
    """One header of a compound statement (``if x``, ``else``...) and what belongs to it."""

    header: str
    line: int
    body: "Body" = field(default_factory=list)


@dataclass(slots=True)
class Control:
    """A compound statement: the first branch is its ``if``, ``for``, ``while`` or ``try``."""

    branches: list[Branch]
    line: int


@dataclass(slots=True)
class Apply:
    """A part whose output goes through a function."""

    function: str
    line: int
    body: "Body" = field(default_factory=list)


@dataclass(slots=True)
class Block:
    """A named part that a template which extends this one may replace."""

    name: str
    line: int
    body: "Body" = field(default_factory=list)


@dataclass(slots=True)
class Include:
    """Another template, in this place."""

    name: str
    line: int


@dataclass(slots=True)
class Extends:
    """The template whose blocks this one replaces."""

    name: str
    line: int


Node = Text | Expression | Statement | Control | Apply | Block | Include
Body = list[Node]


@dataclass(slots=True)
class Tree:
    """A parsed template.

    Attributes:
        body: Its parts in order.
        extends: The template it extends, if any.
        autoescape: What an ``autoescape`` tag set for the whole template; False without one.
        named: Its blocks and includes at any depth, in the order of the text.
    """

    body: Body
    extends: Extends | None = None
    autoescape: str | bool | None = False
    named: list[Block | Include] = field(default_factory=list)
