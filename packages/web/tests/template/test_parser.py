"""The rules of the language, and what breaks them."""

import pytest

from zonda.web.template import ParseError
from zonda.web.template.nodes import Block, Control, Expression, Include, Statement, Text
from zonda.web.template.parser import MAX_DEPTH, Parser

BROKEN = [
    # template, part of the message, line
    ("{% foo %}", "unknown tag 'foo'", 1),
    ("\n{% if(1) %}", "unknown tag", 2),
    ("a\n{% end %}", "nothing to end", 2),
    ("{% if a %}{% end %}{% end %}", "nothing to end", 1),
    ("a\n{% if a %}\n\n", "{% if %} without {% end %}", 2),
    ("{% if a %}\n{% for b in c %}\n{% end %}", "{% if %} without", 1),
    ("{% block a %}\n{% apply b %}", "{% apply %} without", 2),
    ("{% else %}", "belongs right inside", 1),
    ("{% block a %}{% else %}{% end %}", "belongs right inside", 1),
    ("{% apply a %}{% else %}{% end %}", "belongs right inside", 1),
    ("{% if a %}{% except %}{% end %}", "{% except %} belongs right inside", 1),
    ("{% for a in b %}{% elif c %}{% end %}", "{% elif %} belongs right inside", 1),
    ("{% while a %}{% finally %}{% end %}", "{% finally %} belongs right inside", 1),
    ("{% try %}a{% end %}", "{% try %} needs", 1),
    ("{% break %}", "outside of a loop", 1),
    ("{% if a %}{% continue %}{% end %}", "outside of a loop", 1),
    ("{% for a in b %}{% end %}{% break %}", "outside of a loop", 1),
    ("{% for a in b %}{% apply c %}{% break %}{% end %}{% end %}", "outside of a loop", 1),
    ("{% if a %}{% extends b %}{% end %}", "inside another tag", 1),
    ("{% whitespace foo %}", "whitespace mode", 1),
    *(
        (f"\n{{% {tag} %}}", f"{{% {tag} %}} needs", 2)
        for tag in (
            *("apply", "block", "elif", "extends", "for", "from", "if", "import", "include"),
            *("module", "raw", "set", "whitespace", "while"),
        )
    ),
    ("{% include '' %}", "{% include %} needs", 1),
    ('{% extends "" %}', "{% extends %} needs", 1),
    ("{{ a", "{{ without }}", 1),
    ("{% if a %}" * (MAX_DEPTH + 1), f"more than {MAX_DEPTH} tags", 1),
    ("\n{% block b %}" * (MAX_DEPTH + 1), f"more than {MAX_DEPTH} tags", MAX_DEPTH + 2),
]


@pytest.mark.parametrize(("text", "message", "line"), BROKEN)
def test_broken(text: str, message: str, line: int) -> None:
    with pytest.raises(ParseError) as caught:
        Parser(text, "x.html", "all").tree()
    assert message in caught.value.message
    assert (caught.value.filename, caught.value.lineno) == ("x.html", line)


def test_tree() -> None:
    tree = Parser("a{% block b %}{{ c }}{% include d %}{% end %}{% set e=1 %}", "x", "all").tree()
    block = Block("b", 1, [Expression("c", 1), Include("d", 1)])
    assert tree.body == [Text("a", 1), block, Statement("e=1", 1)]
    assert tree.named == [block, block.body[1]]
    assert tree.extends is None
    assert tree.autoescape is False


def test_branches() -> None:
    tree = Parser("{% if a %}b\n{% elif c %}d{% else %}{% end %}", "x", "all").tree()
    (control,) = tree.body
    assert isinstance(control, Control)
    assert [(each.header, each.line) for each in control.branches] == [
        ("if a", 1),
        ("elif c", 2),
        ("else", 2),
    ]
    assert control.branches[2].body == []


@pytest.mark.parametrize(
    ("text", "autoescape"),
    [
        ("{% autoescape None %}", None),
        ("{% autoescape %}", None),
        ("{% autoescape a %}{% autoescape b %}", "b"),
    ],
)
def test_autoescape(text: str, autoescape: str | None) -> None:
    assert Parser(text, "x", "all").tree().autoescape == autoescape


def test_whitespace_from_here_on() -> None:
    text = "a  b{% block c %}{% whitespace single %}a  b{% end %}a  b<pre>c  d"
    tree = Parser(text, "x", "all").tree()
    block = tree.body[1]
    assert isinstance(block, Block)
    assert tree.body[0] == Text("a  b", 1)
    assert block.body == [Text("a b", 1)]
    assert tree.body[2] == Text("a  b<pre>c  d", 1)  # where <pre> is, nothing is touched


@pytest.mark.parametrize(
    "unit", ["{% if a %}{% end %}", "{% set a=1 %}\n", "{% block a %}{% end %}"]
)
def test_much_of_it(unit: str) -> None:
    assert len(Parser(unit * 50_000, "x", "all").tree().body) >= 50_000
