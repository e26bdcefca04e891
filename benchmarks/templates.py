"""Templates: what rendering and compiling one costs, beside Tornado's.

    python benchmarks/templates.py [--tornado PYTHON] [--rounds N] [-k TEXT]

Microseconds of CPU a page. No loop is involved, so the uvloop column repeats the one beside it.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Run by path: the folder above makes the `benchmarks` package importable.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.sidebyside import Case, framework, main  # noqa: E402

if TYPE_CHECKING or framework() == "zonda":
    from zonda.web import template
else:
    from tornado import template

TEXTS = {
    "base.html": """<!DOCTYPE html>
<html><head><title>{% block title %}Site{% end %}</title></head>
<body>{% include "menu.html" %}
{% block body %}{% end %}
</body></html>
""",
    "menu.html": '<p>{{ user }} <a href="{{ url }}">Sign out</a></p>',
    "greeting.html": "Hello, {{ name }}!",
    "page.html": """{% extends "base.html" %}
{% block title %}{{ title }}{% end %}
{% block body %}
<h1>{{ title }}</h1>
<p>{% raw text %}</p>
{% if comments %}<p>{{ len(comments) }} comments</p>{% else %}<p>No comments</p>{% end %}
{% end %}
""",
    "table.html": """{% extends "base.html" %}
{% block body %}<table>
{% for row in rows %}
  <tr class="{{ 'odd' if row['id'] % 2 else 'even' }}">
    <td>{{ row['id'] }}</td><td>{{ row['name'] }}</td><td>{{ row['mail'] }}</td>
  </tr>
{% end %}
</table>{% end %}
""",
    "apply.html": """{% for row in rows %}{% apply strip %} {{ row['name'] }} {% end %}{% end %}""",
    "markup.html": """{% for text in texts %}{{ text }}{% end %}""",
}
NAMES: dict[str, Any] = {
    "title": "A page about templates",
    "user": "Ann",
    "url": "/signout?next=/a&b=c",
    "name": "world",
    "text": "Some <b>text</b> that somebody wrote. " * 20,
    "comments": [],
    "rows": [{"id": i, "name": f"Name {i}", "mail": f"<name{i}@example.com>"} for i in range(50)],
    "texts": ['if a < b && c > d: print("it\'s")' * 4] * 50,
    "strip": lambda data: data.strip(),
}
LOADER = template.DictLoader(TEXTS)


def rendering(name: str) -> Case:
    compiled = LOADER.load(name)

    async def case(n: int) -> None:
        for _ in range(n):
            compiled.generate(**NAMES)

    return case


async def compiling(n: int) -> None:
    """A page, the one it extends and what that includes."""
    for _ in range(n):
        template.DictLoader(TEXTS).load("page.html")


async def loading(n: int) -> None:
    """A template that is there already, as each request asks for it."""
    for _ in range(n):
        LOADER.load("page.html")


CASES: dict[str, tuple[Case, int]] = {
    "one expression": (rendering("greeting.html"), 20_000),
    "a page": (rendering("page.html"), 10_000),
    "a table of 50 rows": (rendering("table.html"), 500),
    "50 texts full of markup": (rendering("markup.html"), 500),
    "50 times apply": (rendering("apply.html"), 500),
    "find a loaded template": (loading, 50_000),
    "compile a page": (compiling, 100),
}

if __name__ == "__main__":
    sys.exit(main("Templates", CASES, __file__))
