"""Make links of the URLs in escaped HTML text.

In goes text that has been through ``xhtml_escape`` already, out comes the same text with
``<a href>`` around each URL. Pure, no errors of its own.

What a URL is, from left to right (after the well-known liberal pattern for URLs in prose):

* it starts at a word boundary with ``scheme:`` and one to three slashes, or with ``www.``;
* it goes on over anything but white space, parentheses, ``<``, ``>`` and ``'`` (which are
  character references by now; ``&`` and ``"`` are the two references that may be inside);
* a group in parentheses may follow directly, and more text directly after that;
* punctuation at the end belongs to the sentence, not to the URL.

One hand-written pass instead of one regular expression: a pattern with these alternatives
costs quadratic time on input such as ``"a-" * n``. Here every character is looked at a bounded
number of times.
"""

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

_SHOWN = 30  # characters of a shortened link; a lone host may have half as many again
_SHOWN_SEGMENT = 8  # of the first segment of its path

_ANCHOR = re.compile(r":/{1,3}|www\.")
_RUN = re.compile(r"(?:[^\s&()]|&amp;|&quot;)*")
_PUNCTUATION = frozenset("!\"#$%&'()*+,.:;<=>?@[]^`{|}~")
_INNER_REFERENCES = ("&amp;", "&quot;")
_CUT_REFERENCE = re.compile(r"&[^;]*\Z")


class _Url(NamedTuple):
    start: int
    end: int
    scheme: str  # "" for www.
    prefix: int  # length of the scheme with its colon and slashes


def link_urls(
    text: str,
    shorten: bool,
    extra_params: str | Callable[[str], str],
    require_protocol: bool,
    permitted_protocols: Collection[str],
) -> str:
    """Return escaped ``text`` with links; the arguments are those of ``escape.linkify``."""
    pieces = []
    done = 0
    constant = ""
    if isinstance(extra_params, str) and extra_params:
        constant = " " + extra_params.strip()
    while (found := _find_url(text, done)) is not None:
        url = text[found.start : found.end]
        pieces.append(text[done : found.start])
        done = found.end
        if found.scheme not in permitted_protocols if found.scheme else require_protocol:
            pieces.append(url)
            continue
        href = url if found.scheme else "http://" + url
        attributes = " " + extra_params(href).strip() if callable(extra_params) else constant
        shown = _clip(url, found.prefix) if shorten else url
        if shown != url:
            attributes += f' title="{href}"'
        pieces.append(f'<a href="{href}"{attributes}>{shown}</a>')
    pieces.append(text[done:])
    return "".join(pieces)


def _find_url(text: str, position: int) -> _Url | None:
    """Return the first URL that starts at or after ``position``."""
    seen = position  # nothing before this can be part of a scheme
    while (anchor := _ANCHOR.search(text, seen)) is not None:
        seen = anchor.end()
        if anchor[0] == "www.":
            start = anchor.start()
            if start and _is_word(text[start - 1]):
                continue
            scheme, prefix = "", 0
        else:
            colon = anchor.start()
            start = _scheme_start(text, position, colon)
            if start == colon:
                continue
            scheme, prefix = text[start:colon], anchor.end() - start
        end = _url_end(text, anchor.end())
        if end > anchor.end():
            return _Url(start, end, scheme, prefix)
        if scheme and anchor[0] != ":/":
            # Nothing but slashes: the last ones are the path ("http://").
            return _Url(start, anchor.end(), scheme, prefix - 1)
        position = seen
    return None


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _scheme_start(text: str, limit: int, colon: int) -> int:
    """Return where the scheme before ``colon`` starts: the first word boundary of its run."""
    start = colon
    boundary = colon
    while start > limit:
        character = text[start - 1]
        if character == "-":
            start -= 1
            if start and _is_word(text[start - 1]):
                boundary = start
        elif _is_word(character):
            start -= 1
            if not start or not _is_word(text[start - 1]):
                boundary = start
        else:
            break
    return boundary


def _url_end(text: str, position: int) -> int:
    """Return where the URL ends whose scheme ends at ``position``; the same if there is none."""
    while True:
        run_end = _end_of(text, position)
        end = _without_punctuation(text, position, run_end)
        if end < run_end or text[end : end + 1] != "(":
            return end
        # A parenthesis counts only whole: "(see http://a/b)" but "http://a/b_(c)".
        close = _end_of(text, end + 1)
        if text[close : close + 1] != ")":
            return end
        position = close + 1


def _end_of(text: str, position: int) -> int:
    run = _RUN.match(text, position)
    return run.end() if run else position


def _without_punctuation(text: str, start: int, end: int) -> int:
    while end > start:
        if text[end - 1] not in _PUNCTUATION:
            return end
        for reference in _INNER_REFERENCES:
            if text.endswith(reference, start, end):
                end -= len(reference)
                break
        else:
            end -= 1
    return start


def _clip(url: str, prefix: int) -> str:
    """Return a short form of ``url`` to show: the host and the beginning of the path."""
    if len(url) <= _SHOWN:
        return url
    host, slash, path = url[prefix:].partition("/")
    shown = url[:prefix] + host
    if slash:
        segment = re.split(r"[/?.]", path, maxsplit=1)[0]
        shown += "/" + segment[:_SHOWN_SEGMENT]
    if len(shown) > _SHOWN * 1.5:
        shown = shown[:_SHOWN]
    if shown != url:
        # Not half a character reference.
        shown = _CUT_REFERENCE.sub("", shown) + "..."
    return shown if len(shown) < len(url) else url
