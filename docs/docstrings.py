"""A griffe extension: docstrings as the reference shows them.

What a class says in its ``Attributes:`` section, or a ``#:`` comment above an assignment, becomes
the docstring of the attribute itself. Doctests become blocks of code, and tables between lines of
``===`` tables of Markdown. A name that is an optional library's, if that is installed, is shown as
an attribute. Attributes of instances of which nothing is said are not shown.
"""

import re
from typing import Any

import griffe
import surface

PREFIX = "#:"


def comment_above(attribute: griffe.Attribute) -> str:
    """The text of the ``#:`` lines right above an assignment."""
    found: list[str] = []
    module = attribute.module
    if attribute.lineno is None or not module.lines_collection:
        return ""
    lines = module.lines_collection[module.filepath]
    above = attribute.lineno - 2
    while above >= 0 and lines[above].strip().startswith(PREFIX):
        found.insert(0, lines[above].strip().removeprefix(PREFIX).strip())
        above -= 1
    return "\n".join(found)


DOCTEST = re.compile(r"^( *)>>> .*(?:\n(?! *$).*)*", re.MULTILINE)


def fence(match: re.Match[str]) -> str:
    """A doctest as a block of code."""
    return f"{match[1]}```pycon\n{match[0]}\n{match[1]}```"


# An argument or attribute whose name says it all.
OBVIOUS = re.compile(r"^( +\*{0,2}\w+): [-.]$", re.MULTILINE)
RULE = re.compile(r"=+(?: +=+)+")


def table(lines: list[str]) -> list[str]:
    """Lines of a simple table, rules included, as one of Markdown."""
    starts = [match.start() for match in re.finditer(r"=+", lines[0])]
    ends = [*starts[1:], None]
    rules = [number for number, line in enumerate(lines) if RULE.fullmatch(line)]
    rows: list[list[str]] = []
    for number, line in enumerate(lines):
        if number in rules:
            continue
        cells = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        # A line without a first cell goes on with the row above, in the heading as elsewhere.
        if not cells[0] and rows and number - 1 not in rules:
            rows[-1] = [f"{old} {new}".strip() for old, new in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
    if len(rules) < 3:
        rows.insert(0, [""] * len(starts))
    rows.insert(1, ["---"] * len(starts))
    # A bar would end the cell, even in code.
    return ["", *("| " + " | ".join(c.replace("|", "&#124;") for c in row) + " |" for row in rows)]


def with_tables(text: str) -> str:
    """A docstring with its tables as Markdown."""
    shown: list[str] = []
    lines = text.splitlines()
    while lines:
        if RULE.fullmatch(lines[0]) and (blank := [*lines, ""].index("")) > 2:
            shown += table(lines[:blank])
            del lines[:blank]
        else:
            shown.append(lines.pop(0))
    return "\n".join(shown)


def is_declared(cls: griffe.Class, name: str) -> bool:
    """Whether an attribute is named in the body of its class, not in a method alone."""
    return re.search(rf"^(?:    )+{name}\b *[:=]", cls.source, re.MULTILINE) is not None


class Shown(griffe.Extension):
    """See the module."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Mark the doctests, and draw the tables."""
        if obj.docstring is not None:
            text = OBVIOUS.sub(r"\1:", obj.docstring.value)
            obj.docstring.value = DOCTEST.sub(fence, with_tables(text))

    def on_attribute(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """Take the comment above."""
        if attr.docstring is None and (text := comment_above(attr)):
            attr.docstring = griffe.Docstring(text, lineno=attr.lineno, parent=attr)

    def on_module_members(self, *, mod: griffe.Module, **_: Any) -> None:
        """Replace what would have to be found in a library that need not be there."""
        known = surface.modules().get(mod.path)
        for name in known.defined if known else ():
            member = mod.members.get(name)
            if isinstance(member, griffe.Alias) and not member.target_path.startswith("zonda."):
                shown = griffe.Attribute(name, lineno=member.alias_lineno)
                shown.docstring = griffe.Docstring(f"`{member.target_path}`, if it is installed.")
                mod.set_member(name, shown)

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Hand out the section."""
        if cls.docstring is None:
            return
        for section in cls.docstring.parse("google", warnings=False):
            if section.kind is not griffe.DocstringSectionKind.attributes:
                continue
            for said in section.value:
                if said.name not in cls.members:
                    cls.set_member(said.name, griffe.Attribute(said.name, lineno=cls.lineno))
                member = cls.members[said.name]
                if not member.is_alias and member.docstring is None and said.description:
                    member.docstring = griffe.Docstring(
                        said.description, lineno=cls.docstring.lineno, parent=member
                    )
        for name, member in list(cls.members.items()):
            if isinstance(member, griffe.Attribute) and member.labels == {"instance-attribute"}:
                if member.docstring is None:
                    if not is_declared(cls, name):
                        del cls.members[name]
                else:
                    member.value = None  # how it is made is nobody's business
