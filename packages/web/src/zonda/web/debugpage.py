"""The page of an uncaught exception, for whoever is debugging: the setting ``serve_traceback``.

An exception in; text, HTML or JSON out, whichever the client prefers (text if it does not say). It
names files, lines and functions, with the source around them; for a template's code that is the
template's own text. Values of variables are not shown. Never for production: a stranger can read
the program in it.
"""

from __future__ import annotations

import json
import linecache
import re
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from types import FrameType, TracebackType

from zonda.httputil.accept import choose_media_type
from zonda.httputil.escape import xhtml_escape
from zonda.web.template import Template

FORMATS = ("text/plain", "text/html", "application/json")

# Lines shown before and after the one that counts.
AROUND = 4
# An endless recursion has a thousand frames, all alike.
MAX_FRAMES = 60
# What generated code says of where it comes from, at the end of each line.
_PLACE = re.compile(r"  # (.+):([0-9]+)(?: \(via .*\))?\s*\Z")
_LIBRARY = re.compile(r"[/\\](?:site-packages|dist-packages|lib[/\\]python3[^/\\]*|zonda)[/\\]")
_LINKS = {
    "cause": "The above exception was the direct cause of the following one:",
    "context": "While the above exception was being handled, another one was raised:",
}


@dataclass
class SourceLine:
    """A line of source: its number, its text, and whether it is the one that counts."""

    number: int
    text: str
    current: bool


@dataclass
class Frame:
    """A step of a traceback.

    Attributes:
        file: The file, or the template.
        line: The number of the line.
        function: The function.
        source: The lines around.
        template: Whether it is a template's.
        library: Whether it is in an installed package, so probably not at fault.
    """

    file: str
    line: int
    function: str
    source: list[SourceLine] = field(default_factory=list)
    template: bool = False
    library: bool = False


@dataclass
class Problem:
    """An exception.

    Attributes:
        kind: Its class.
        message: Its text.
        frames: Its traceback, the innermost frame last.
        link: How it came from the one before it: ``cause``, ``context`` or "".
    """

    kind: str
    message: str
    frames: list[Frame]
    link: str = ""


def choose_format(accept: str | None) -> str:
    """Return the media type to answer with.

    >>> choose_format("text/html,application/xml;q=0.9,*/*;q=0.8"), choose_format("*/*")
    ('text/html', 'text/plain')
    """
    return choose_media_type(accept, FORMATS) or FORMATS[0]


def debug_page(media_type: str, status: int, reason: str, error: BaseException) -> str:
    """Return the page.

    Args:
        media_type: One of `FORMATS`.
        status: The response's status.
        reason: Its phrase.
        error: What was raised.
    """
    if media_type == "text/html":
        return _html(status, reason, problems(error))
    if media_type == "application/json":
        chain = [asdict(problem) for problem in problems(error)]
        return json.dumps(
            {"status": status, "reason": reason, "error": chain[-1], "before": chain[:-1]}
        )
    return "".join(traceback.format_exception(error))


def problems(error: BaseException) -> list[Problem]:
    """Return an exception and those that it came from, the first one first."""
    chain: list[Problem] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        earlier, link = current.__cause__, "cause"
        if earlier is None and not current.__suppress_context__:
            earlier, link = current.__context__, "context"
        chain.append(
            Problem(
                type(current).__qualname__,
                _text_of(current),
                list(_frames(current.__traceback__)),
                link if earlier is not None else "",
            )
        )
        current = earlier
    return chain[::-1]


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its text cannot be made)"


def _frames(tb: TracebackType | None) -> Iterator[Frame]:
    steps = list(traceback.walk_tb(tb))
    if len(steps) > MAX_FRAMES:
        steps = steps[: MAX_FRAMES // 2] + steps[-MAX_FRAMES // 2 :]
    template: Template | None = None
    for frame, line in steps:
        template = _template_running(frame) or template
        yield _frame(frame, line, template)


def _template_running(frame: FrameType) -> Template | None:
    """Return the template whose method this is."""
    here = frame.f_locals.get("self")
    return here if isinstance(here, Template) else None


def _frame(frame: FrameType, line: int, template: Template | None) -> Frame:
    filename, function = frame.f_code.co_filename, frame.f_code.co_name
    if filename.endswith(".generated.py"):
        place = _PLACE.search(linecache.getline(filename, line, frame.f_globals))
        if place is not None:
            name, number = place[1], int(place[2])
            text = _text_of_template(template, name)
            return Frame(name, number, "template", _around(text, number), template=True)
    lines = linecache.getlines(filename, frame.f_globals)
    source = _around(lines, line)
    return Frame(filename, line, function, source, library=bool(_LIBRARY.search(filename)))


def _text_of_template(template: Template | None, name: str) -> list[str]:
    if template is not None and template.name != name and template.loader is not None:
        # A part that was included, or extended.
        template = getattr(template.loader, "templates", {}).get(name)
    return template.text.splitlines() if isinstance(template, Template) else []


def _around(lines: list[str], line: int) -> list[SourceLine]:
    first = max(line - AROUND, 1)
    return [
        SourceLine(number, text.rstrip(), number == line)
        for number, text in enumerate(lines[first - 1 : line + AROUND], first)
    ]


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em }
h1 { font-size: 1.4em } h1 small { color: #777; font-weight: normal }
.message { white-space: pre-wrap } .library { opacity: .6 }
summary { cursor: pointer } summary code { color: #555 }
pre { background: #f6f6f4; margin: .3em 0 1em; overflow-x: auto; padding: .5em }
pre b { background: #ffe08a; display: block; font-weight: normal }
"""


def _html(status: int, reason: str, chain: list[Problem]) -> str:
    title = xhtml_escape(f"{status}: {reason}")
    parts = [
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><p>{title}</p>"
    ]
    for position, problem in enumerate(chain):
        if problem.link:
            parts.append(f"<p>{_LINKS[problem.link]}</p>")
        parts.append(
            f"<h1>{xhtml_escape(problem.kind)} "
            f'<small class="message">{xhtml_escape(problem.message)}</small></h1>'
        )
        innermost = len(problem.frames) - 1
        for number, frame in enumerate(problem.frames):
            # What is not the library's, and where it happened in the end.
            is_open = not frame.library or (number == innermost and position == len(chain) - 1)
            parts.append(_html_frame(frame, is_open))
    parts.append("</body></html>")
    return "".join(parts)


def _html_frame(frame: Frame, is_open: bool) -> str:
    lines = []
    for line in frame.source:
        text = xhtml_escape(f"{line.number:5} {line.text}")
        lines.append(f"<b>{text}</b>" if line.current else text + "\n")
    return (
        f"<details{' open' if is_open else ''}{' class=library' if frame.library else ''}>"
        f"<summary>{xhtml_escape(frame.file)}:{frame.line} "
        f"<code>{xhtml_escape(frame.function)}</code></summary>"
        f"<pre>{''.join(lines)}</pre></details>"
    )
