"""Static text in, the same text with less white space out; pure, and linear in its length."""

import re

MODES = ("all", "single", "oneline")
"""The modes that there are; see `filter_whitespace`."""

_RUN = re.compile(r"\s+")
_BLANKS = re.compile(r"[\t ]+")


def filter_whitespace(mode: str, text: str) -> str:
    r"""Return ``text`` with its white space treated as ``mode`` says.

    Args:
        mode: ``all`` keeps everything; ``single`` makes one newline of a run that contains one,
            and one space of other blanks; ``oneline`` makes one space of any run.
        text: Static text of a template.

    >>> filter_whitespace("single", "a \n\n  b  c")
    'a\nb c'
    >>> filter_whitespace("oneline", "a \n\n  b  c")
    'a b c'

    Raises:
        ValueError: for another mode.
    """
    if mode == "all":
        return text
    if mode == "single":
        return _RUN.sub(_single, text)
    if mode == "oneline":
        return _RUN.sub(" ", text)
    raise ValueError(f"whitespace mode must be one of {', '.join(MODES)}, not {mode!r}")


def _single(run: re.Match[str]) -> str:
    # One pass over each run: an expression with \s* on both sides of a newline would try every
    # start in a long run of blanks.
    return "\n" if "\n" in run[0] else _BLANKS.sub(" ", run[0])


def default_mode(name: str) -> str:
    """Return the mode of a template that chooses none: ``single`` for ``.html`` and ``.js``.

    >>> default_mode("page.html"), default_mode("mail.txt")
    ('single', 'all')
    """
    return "single" if name.endswith((".html", ".js")) else "all"
