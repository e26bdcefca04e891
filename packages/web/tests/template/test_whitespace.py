"""White space of static text."""

import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.web.template import filter_whitespace
from zonda.web.template.whitespace import default_mode

ROWS = [
    # text, single, oneline
    ("", "", ""),
    ("ab", "ab", "ab"),
    ("  a \n\n b  c\t d\r\n x", " a\nb c d\nx", " a b c d x"),
    ("\n\n", "\n", " "),
    (" \t ", " ", " "),
    ("\t", " ", " "),
    (" \n ", "\n", " "),
    ("x\xa0 \xa0y", "x\xa0 \xa0y", "x y"),
    ("a\x0b\x0cb", "a\x0b\x0cb", "a b"),
    ("a\x0b \t\x0cb", "a\x0b \x0cb", "a b"),
    ("\r\r", "\r\r", " "),
]


@pytest.fixture(params=["zonda", "tornado"])
def filter_(request: pytest.FixtureRequest) -> Callable[[str, str], str]:
    if request.param == "zonda":
        return filter_whitespace
    theirs: Callable[[str, str], str] = pytest.importorskip("tornado.template").filter_whitespace
    return theirs


@pytest.mark.parametrize(("text", "single", "oneline"), ROWS)
def test_rows(filter_: Callable[[str, str], str], text: str, single: str, oneline: str) -> None:
    assert filter_("all", text) == text
    assert filter_("single", text) == single
    assert filter_("oneline", text) == oneline


@pytest.mark.parametrize("mode", ["", "ALL", "foo"])
def test_unknown_mode(filter_: Callable[[str, str], str], mode: str) -> None:
    with pytest.raises(Exception, match="whitespace mode"):
        filter_(mode, "x")


@given(st.text("a \t\n\r\x0b\xa0"), st.sampled_from(["all", "single", "oneline"]))
def test_idempotent_and_keeps_the_rest(text: str, mode: str) -> None:
    once = filter_whitespace(mode, text)
    assert filter_whitespace(mode, once) == once
    assert "".join(once.split()) == "".join(text.split())


@given(st.text("a \t\n\r\x0b\xa0"), st.sampled_from(["all", "single", "oneline"]))
def test_as_tornado(text: str, mode: str) -> None:
    theirs = pytest.importorskip("tornado.template")
    assert filter_whitespace(mode, text) == theirs.filter_whitespace(mode, text)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.html", "single"),
        ("a.js", "single"),
        ("a.txt", "all"),
        ("a.HTML", "all"),
        ("html", "all"),
    ],
)
def test_default_mode(name: str, mode: str) -> None:
    assert default_mode(name) == mode


@pytest.mark.parametrize("run", ["\x0b", " ", " \x0b", "\n\x0b", "\x0b "])
def test_linear(run: str) -> None:
    """A run of blanks is passed over once, wherever in it the newline is or is not."""

    def cost(length: int) -> float:
        text = run * length
        best = sys.float_info.max
        for _ in range(3):
            started = time.process_time()
            filter_whitespace("single", text)
            best = min(best, time.process_time() - started)
        return best

    assert cost(80_000) < 40 * cost(8_000) + 0.01  # squared it would be a hundred times
