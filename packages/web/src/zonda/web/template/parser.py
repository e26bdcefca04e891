"""Tokens in, a `Tree` out; `ParseError` where they do not fit together.

Nesting is kept on a list of our own, never on Python's stack, and is limited to `MAX_DEPTH`, so
that no template makes the parser or the code generator recurse without bound. Python inside the
tags is not looked at here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from zonda.web.template.errors import ParseError
from zonda.web.template.lexer import Expression as ExpressionToken
from zonda.web.template.lexer import Text as TextToken
from zonda.web.template.lexer import tokens
from zonda.web.template.nodes import (
    Apply,
    Block,
    Body,
    Branch,
    Control,
    Expression,
    Extends,
    Include,
    Statement,
    Text,
    Tree,
)
from zonda.web.template.whitespace import MODES, filter_whitespace

#: Blocks inside blocks: Python itself refuses to compile 100 levels of indentation.
MAX_DEPTH = 95

#: A tag that continues a compound statement -> the statements it can continue.
_CONTINUES = {
    "else": ("for", "if", "try", "while"),
    "elif": ("if",),
    "except": ("try",),
    "finally": ("try",),
}
_LOOPS = ("for", "while")

#: What has to follow the name of a tag, in the words of the error.
_NEEDS = {
    "apply": "a function",
    "block": "a name",
    "elif": "a condition",
    "extends": "the name of a template",
    "for": "a target and an iterable",
    "from": "a module",
    "if": "a condition",
    "import": "a module",
    "include": "the name of a template",
    "module": "a call of a UI module",
    "raw": "an expression",
    "set": "an assignment",
    "whitespace": "a mode",
    "while": "a condition",
}


@dataclass(slots=True)
class _Open:
    """A part that has begun and not ended."""

    tag: str
    line: int
    body: Body
    control: Control | None
    in_loop: bool


class Parser:
    """Parses one template; ask for its `tree` once.

    Args:
        text: The template.
        name: Its name, for errors.
        whitespace: The mode to begin with.
    """

    def __init__(self, text: str, name: str, whitespace: str) -> None:
        self._text = text
        self._name = name
        self._whitespace = whitespace
        self._tree = Tree([])
        self._body = self._tree.body
        self._open: list[_Open] = []
        self._line = 1

    def tree(self) -> Tree:
        """Return the parsed template.

        Raises:
            ParseError: where the template breaks the rules of the language.
        """
        for token in tokens(self._text, self._name):
            self._line = token.line
            if isinstance(token, TextToken):
                self._add_text(token.value)
            elif isinstance(token, ExpressionToken):
                self._body.append(Expression(token.value, token.line))
            else:
                tag, *rest = token.value.split(None, 1)
                self._add_tag(tag, "".join(rest), token.value)
        if self._open:
            innermost = self._open[-1]
            self._line = innermost.line
            self._fail(f"{{% {innermost.tag} %}} without {{% end %}}")
        return self._tree

    def _fail(self, message: str) -> NoReturn:
        raise ParseError(message, self._name, self._line)

    def _add_text(self, value: str) -> None:
        if self._whitespace != "all" and "<pre>" not in value:
            value = filter_whitespace(self._whitespace, value)
        self._body.append(Text(value, self._line))

    def _add_tag(self, tag: str, rest: str, whole: str) -> None:
        if not rest and tag in _NEEDS:
            self._fail(f"{{% {tag} %}} needs {_NEEDS[tag]}")
        if tag in _CONTINUES:
            self._continue(tag, whole)
        elif tag == "end":
            self._end()
        elif handle := _TAGS.get(tag):
            handle(self, tag, rest, whole)
        else:
            self._fail(f"unknown tag {tag!r}")

    # Tags with a body

    def _begin(self, tag: str, body: Body, control: Control | None, in_loop: bool) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._fail(f"more than {MAX_DEPTH} tags inside one another")
        self._open.append(_Open(tag, self._line, self._body, control, in_loop))
        self._body = body

    def _in_loop(self) -> bool:
        return bool(self._open) and self._open[-1].in_loop

    def _control(self, tag: str, rest: str, whole: str) -> None:
        branch = Branch(whole, self._line)
        control = Control([branch], self._line)
        self._body.append(control)
        self._begin(tag, branch.body, control, self._in_loop() or tag in _LOOPS)

    def _continue(self, tag: str, whole: str) -> None:
        current = self._open[-1] if self._open else None
        if current is None or current.control is None or current.tag not in _CONTINUES[tag]:
            owners = ", ".join(_CONTINUES[tag])
            self._fail(f"{{% {tag} %}} belongs right inside one of: {owners}")
        branch = Branch(whole, self._line)
        current.control.branches.append(branch)
        self._body = branch.body

    def _apply(self, tag: str, rest: str, whole: str) -> None:
        node = Apply(rest, self._line)
        self._body.append(node)
        # Its body becomes a function, which no loop outside reaches into.
        self._begin(tag, node.body, None, in_loop=False)

    def _block(self, tag: str, rest: str, whole: str) -> None:
        node = Block(rest, self._line)
        self._body.append(node)
        self._tree.named.append(node)
        self._begin(tag, node.body, None, self._in_loop())

    def _end(self) -> None:
        if not self._open:
            self._fail("{% end %} with nothing to end")
        ended = self._open.pop()
        if ended.tag == "try" and ended.control and len(ended.control.branches) == 1:
            self._line = ended.line
            self._fail("{% try %} needs an {% except %} or {% finally %}")
        self._body = ended.body

    # Tags without

    def _extends(self, tag: str, rest: str, whole: str) -> None:
        if self._open:
            self._fail("{% extends %} inside another tag")
        self._tree.extends = Extends(self._template_name(tag, rest), self._line)

    def _include(self, tag: str, rest: str, whole: str) -> None:
        node = Include(self._template_name(tag, rest), self._line)
        self._body.append(node)
        self._tree.named.append(node)

    def _template_name(self, tag: str, rest: str) -> str:
        name = rest.strip('"').strip("'")
        if not name:
            self._fail(f"{{% {tag} %}} needs {_NEEDS[tag]}")
        return name

    def _set(self, tag: str, rest: str, whole: str) -> None:
        self._body.append(Statement(rest, self._line))

    def _import(self, tag: str, rest: str, whole: str) -> None:
        self._body.append(Statement(whole, self._line))

    def _leave(self, tag: str, rest: str, whole: str) -> None:
        if not self._in_loop():
            self._fail(f"{{% {tag} %}} outside of a loop")
        self._body.append(Statement(whole, self._line))

    def _raw(self, tag: str, rest: str, whole: str) -> None:
        self._body.append(Expression(rest, self._line, raw=True))

    def _module(self, tag: str, rest: str, whole: str) -> None:
        self._body.append(Expression("_tt_modules." + rest, self._line, raw=True))

    def _autoescape(self, tag: str, rest: str, whole: str) -> None:
        self._tree.autoescape = None if rest in ("", "None") else rest

    def _set_whitespace(self, tag: str, rest: str, whole: str) -> None:
        if rest not in MODES:
            self._fail(f"whitespace mode must be one of {', '.join(MODES)}, not {rest!r}")
        self._whitespace = rest

    def _comment(self, tag: str, rest: str, whole: str) -> None:
        pass


_TAGS: dict[str, Callable[[Parser, str, str, str], None]] = {
    "apply": Parser._apply,
    "autoescape": Parser._autoescape,
    "block": Parser._block,
    "break": Parser._leave,
    "comment": Parser._comment,
    "continue": Parser._leave,
    "extends": Parser._extends,
    "for": Parser._control,
    "from": Parser._import,
    "if": Parser._control,
    "import": Parser._import,
    "include": Parser._include,
    "module": Parser._module,
    "raw": Parser._raw,
    "set": Parser._set,
    "try": Parser._control,
    "while": Parser._control,
    "whitespace": Parser._set_whitespace,
}
