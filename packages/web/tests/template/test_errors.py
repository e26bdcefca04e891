"""What is wrong with a template."""

import pickle
import traceback

import pytest

from zonda.web.template import ParseError, Template, TemplateSyntaxError


def test_facts_and_sentence() -> None:
    error = ParseError("broken", "page.html", 7)
    assert (error.message, error.filename, error.lineno) == ("broken", "page.html", 7)
    assert str(error) == "broken at page.html:7"


def test_place_is_optional() -> None:
    assert str(ParseError("broken")) == "broken at None:0"


@pytest.mark.parametrize(
    "error", [ParseError("broken", "x", 7), TemplateSyntaxError("broken", "x", 7, "a b")]
)
def test_survives_pickling(error: ParseError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))


def test_syntax_error_is_shown_with_the_place_in_the_template() -> None:
    with pytest.raises(SyntaxError) as caught:
        Template("one\ntwo {{ three four }}", name="page.html")
    assert isinstance(caught.value, ParseError)
    shown = traceback.format_exception_only(caught.value)
    assert any('File "page.html", line 2' in line for line in shown)
    assert any("three four" in line for line in shown)
