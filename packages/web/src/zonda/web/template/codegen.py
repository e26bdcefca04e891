"""Parsed templates in, the source of one Python function out, with the origin of each line.

The function ``_tt_execute`` collects the pieces of the output in a list and returns them joined.
Pieces with no statement in between are added in one go.
Includes and blocks are written out in place, so local names are shared with them; the body of an
``apply`` is a function of its own. Each line ends in a comment that says which template and line
it comes from; that is what a traceback shows.

Raises `ParseError` for templates that include or extend themselves, are nested too deeply or
expand to too much.
"""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn, Protocol

from zonda.web.template.errors import ParseError
from zonda.web.template.nodes import (
    Apply,
    Block,
    Body,
    Control,
    Expression,
    Include,
    Node,
    Statement,
    Text,
    Tree,
)

#: Tags, blocks and includes inside one another, over all templates that make up one.
MAX_DEPTH = 100
#: Parts of all templates that make up one, each counted as often as it is written out: a few
#: includes of includes, each there twice, could ask for billions.
MAX_PARTS = 250_000
#: Pieces that are added in one go: they wait on the interpreter's stack.
MAX_RUN = 100

_WAITS = re.compile(r"\b(?:await|async)\b")


class Source(Protocol):
    """A parsed template, as the code generator needs it."""

    name: str
    autoescape: str | None

    @property
    def tree(self) -> Tree:
        """What the parser made of it."""

    def load(self, name: str, tag: str, line: int) -> "Source":
        """Return the template that a tag of this one names."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a line of generated code comes from."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Code:
    """Generated source.

    Attributes:
        text: The module.
        origins: For each of its lines the place in a template.
        waits: Whether there is an ``await`` in it, so that the function has to be a coroutine.
    """

    text: str
    origins: list[Origin]
    waits: bool

    def origin(self, line: int) -> Origin:
        """Return the place of a line of the text, or of the last one before it that has a place."""
        for index in range(min(line, len(self.origins)) - 1, -1, -1):
            if self.origins[index].line:
                return self.origins[index]
        return Origin(self.origins[0].name, 1)


@dataclass(frozen=True, slots=True)
class _NamedBlock:
    body: Body
    source: Source


def generate(source: Source, waits: bool = False, early_escape: bool = True) -> Code:
    """Return the code of a template with all it extends and includes.

    Args:
        source: The template.
        waits: Write coroutine functions.
        early_escape: Look ``xhtml_escape`` up once, at the beginning. Not possible where the
            template itself assigns that name.

    Raises:
        ParseError: see above.
    """
    chain = _ancestors(source)
    writer = _Writer(chain[-1], waits, early_escape)
    for ancestor in reversed(chain):
        writer.find_blocks(ancestor)
    return writer.write()


def _ancestors(source: Source) -> list[Source]:
    chain = [source]
    seen = {source.name}
    while extends := source.tree.extends:
        parent = source.load(extends.name, "extends", extends.line)
        if parent.name in seen:
            raise ParseError(f"{parent.name} extends itself", source.name, extends.line)
        seen.add(parent.name)
        chain.append(parent)
        source = parent
    return chain


class _Writer:
    """Writes the function of one template."""

    def __init__(self, root: Source, waits: bool, early_escape: bool) -> None:
        self._source = root
        self._waits = waits
        self._early_escape = early_escape
        self._blocks: dict[str, _NamedBlock] = {}
        self._lines: list[str] = []
        self._origins: list[Origin] = []
        self._indent = 0
        self._depth = 0
        self._applies = 0
        self._parts = 0
        self._pending: list[str] = []  # static text that may be joined with what follows
        self._pending_place = ("", Origin(root.name, 0))
        self._run: list[tuple[str, str, Origin]] = []  # pieces, with their places, to be added
        self._tries = 0  # `try` statements that we are in
        self._via: list[Origin] = []  # the blocks and includes we are in, outermost first
        self._escapes = False
        self._awaits = False

    # Blocks

    def find_blocks(self, source: Source) -> None:
        """Take note of the blocks of a template and its includes; later ones win."""
        stack = [(source, iter(source.tree.named))]
        while stack:
            current, named = stack[-1]
            node = next(named, None)
            self._count(current, node.line if node else 0)
            if node is None:
                stack.pop()
            elif isinstance(node, Block):
                self._blocks[node.name] = _NamedBlock(node.body, current)
            else:
                included = current.load(node.name, "include", node.line)
                self._check_include(included, [each for each, _ in stack], current, node)
                if included.tree.named:
                    stack.append((included, iter(included.tree.named)))

    @staticmethod
    def _check_include(
        included: Source, outer: list[Source], source: Source, node: Include
    ) -> None:
        if any(included.name == each.name for each in outer):
            raise ParseError(f"{included.name} includes itself", source.name, node.line)
        if len(outer) >= MAX_DEPTH:
            raise ParseError(f"more than {MAX_DEPTH} includes", source.name, node.line)
        if included.tree.extends:
            message = f"{included.name} extends a template, so it cannot be included"
            raise ParseError(message, source.name, node.line)

    def _count(self, source: Source, line: int) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            message = f"expands to more than {MAX_PARTS} parts"
            raise ParseError(message, source.name, line)

    # Lines

    def _line(self, text: str, line: int) -> None:
        """Write one statement, on as many lines as it has."""
        self._flush()
        self._write(text, self._place(line), Origin(self._source.name, line))

    def _write(self, text: str, place: str, origin: Origin) -> None:
        self._origins.extend([origin] * (text.count("\n") + 1))
        self._lines.append(f"{'  ' * self._indent}{text}  # {place}")

    def _place(self, line: int) -> str:
        place = f"{_printable(self._source.name)}:{line}"
        if self._via:
            via = ", ".join(f"{_printable(o.name)}:{o.line}" for o in reversed(self._via))
            place += f" (via {via})"
        return place

    def _append(self, value: str, line: int) -> None:
        self._end_text()
        self._run.append((value, self._place(line), Origin(self._source.name, line)))
        # What comes before an expression that raises is output all the same, if that is caught.
        if self._tries or len(self._run) >= MAX_RUN:
            self._flush()

    def _end_text(self) -> None:
        text = "".join(self._pending)
        self._pending.clear()
        if text:
            self._run.append((repr(text.encode()), *self._pending_place))
            if self._tries:
                self._flush()

    def _flush(self) -> None:
        """Write what adds the pieces to the output that are waiting for it."""
        if self._pending:
            self._end_text()
        run = self._run
        if len(run) == 1:
            [(value, place, origin)] = run
            # A method call on the list itself has an instruction of its own in CPython 3.11 and
            # later: half the time of calling a bound method kept in a variable.
            self._write(f"_tt_buffer.append({value})", place, origin)
        elif run:
            # Half the instructions of as many calls.
            self._write("_tt_buffer += (", *run[0][1:])
            for value, place, origin in run:
                self._write(f"{value},", place, origin)
            self._write(")", *run[-1][1:])
        run.clear()

    def _fail(self, message: str, line: int) -> NoReturn:
        raise ParseError(message, self._source.name, line)

    @contextmanager
    def _nested(self, line: int, indent: int = 0) -> Iterator[None]:
        if self._depth >= MAX_DEPTH:
            self._fail(f"more than {MAX_DEPTH} tags and includes inside one another", line)
        self._depth += 1
        self._indent += indent
        yield
        self._indent -= indent
        self._depth -= 1

    @contextmanager
    def _from(self, source: Source, line: int) -> Iterator[None]:
        """Write what another template holds, in place of the tag at ``line`` of this one."""
        self._via.append(Origin(self._source.name, line))
        self._source, outer = source, self._source
        yield
        self._source = outer
        self._via.pop()

    # Nodes

    def write(self) -> Code:
        """Return the whole module."""
        define = "async def" if self._waits else "def"
        self._line(f"{define} _tt_execute():", 0)
        self._indent += 1
        self._line("_tt_buffer = []", 0)
        self._line("pass", 0)
        at = len(self._lines) - 1
        self._body(self._source.tree.body)
        self._line("return _tt_join(_tt_buffer)", 0)
        if self._escapes:
            self._lines[at] = "  _tt_escape = _tt_escaper(xhtml_escape)"
        return Code("\n".join(self._lines) + "\n", self._origins, self._awaits)

    def _python(self, text: str) -> str:
        if not self._awaits and _WAITS.search(text):
            self._awaits = True
        return text

    def _body(self, body: Body) -> None:
        for node in body:
            self._node(node)

    def _indented(self, body: Body, line: int) -> None:
        """Write the body of a compound statement, which must not be empty."""
        with self._nested(line, indent=1):
            before = len(self._lines)
            self._body(body)
            self._flush()
            if len(self._lines) == before:
                self._line("pass", line)

    def _node(self, node: Node) -> None:
        self._count(self._source, node.line)
        match node:
            case Text():
                if not self._pending:
                    place = self._place(node.line)
                    self._pending_place = (place, Origin(self._source.name, node.line))
                self._pending.append(node.value)
            case Expression():
                self._expression(node)
            case Statement():
                self._line(self._python(node.source), node.line)
            case Control():
                self._control(node)
            case Block():
                self._block(node)
            case Include():
                self._include(node)
            case Apply():
                self._apply(node)

    def _expression(self, node: Expression) -> None:
        value = self._python(node.source)
        if _is_expression(value):
            value = f"({value}\n)" if "#" in value else f"({value})"
        else:
            # Tornado assigns the value first, so that more than an expression may stand there.
            self._line(f"_tt_value = {value}", node.line)
            value = "_tt_value"
        function = None if node.raw else self._source.autoescape
        if not function:
            self._append(f"_tt_bytes({value})", node.line)
        elif function == "xhtml_escape" and self._early_escape:
            self._escapes = True
            self._append(f"_tt_escape({value})", node.line)
        else:
            self._append(f"_tt_result({function}(_tt_bytes({value})))", node.line)

    def _control(self, node: Control) -> None:
        choice = _choice(node)
        if choice:
            self._append(self._python(choice), node.line)
            return
        catches = node.branches[0].header.startswith("try")
        self._tries += catches
        for branch in node.branches:
            self._line(f"{self._python(branch.header)}:", branch.line)
            self._indented(branch.body, branch.line)
        self._tries -= catches

    def _block(self, node: Block) -> None:
        # No block comes to lie inside itself: the last definition wins, and what is inside that
        # one comes after it.
        block = self._blocks[node.name]
        with self._nested(node.line), self._from(block.source, node.line):
            self._body(block.body)

    def _include(self, node: Include) -> None:
        included = self._source.load(node.name, "include", node.line)
        self._check_include(included, [self._source], self._source, node)
        with self._nested(node.line), self._from(included, node.line):
            self._body(included.tree.body)

    def _apply(self, node: Apply) -> None:
        name = f"_tt_apply{self._applies}"
        self._applies += 1
        define, wait = ("async def", "await ") if self._waits else ("def", "")
        self._line(f"{define} {name}():", node.line)
        self._tries, outer = 0, self._tries  # nothing is output of what it does not return
        with self._nested(node.line, indent=1):
            self._line("_tt_buffer = []", node.line)
            self._body(node.body)
            self._line("return _tt_join(_tt_buffer)", node.line)
        self._tries = outer
        function = self._python(node.function)
        self._append(f"_tt_result({function}({wait}{name}()))", node.line)


def _is_expression(source: str) -> bool:
    try:
        ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _choice(node: Control) -> str | None:
    """An ``if`` with static text in it, as an expression; None for all other statements."""
    word, _, condition = node.branches[0].header.partition(" ")
    if word != "if" or "#" in condition or not _is_expression(condition):
        return None
    texts = [repr(_static(branch.body)) for branch in node.branches]
    match [branch.header for branch in node.branches]:
        case [_] if "None" not in texts:
            return f"({texts[0]} if ({condition}) else b'')"
        case [_, "else"] if "None" not in texts:
            return f"({texts[0]} if ({condition}) else {texts[1]})"
    return None


def _static(body: Body) -> bytes | None:
    texts = [node.value for node in body if isinstance(node, Text)]
    return "".join(texts).encode() if len(texts) == len(body) else None


def _printable(name: str) -> str:
    # A line break in a name would end the comment, and make code of what follows.
    return name if name.isprintable() else ascii(name)
