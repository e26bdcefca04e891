"""Errors: facts in attributes, one sentence in str(), and they survive copying."""

import copy
import pickle
from http.cookies import CookieError

import pytest

from zonda.httputil.errors import (
    HTTPInputError,
    HTTPOutputError,
    InvalidCookie,
    InvalidFieldName,
    InvalidFieldValue,
)


def test_status_is_400_unless_given() -> None:
    assert HTTPInputError("x").status == 400
    assert HTTPInputError("x", 505).status == 505
    assert InvalidFieldName("a b").status == 400


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (HTTPInputError("not so", 414), "not so"),
        (InvalidFieldName("a\nb"), r"header name 'a\nb' is not a token"),
        (
            InvalidFieldValue("X", "a\r\nb"),
            r"header 'X' has illegal characters in its value 'a\r\nb'",
        ),
        (InvalidCookie("c", "Path", "/;"), "cookie 'c': invalid Path '/;'"),
        (HTTPOutputError("too long"), "too long"),
    ],
)
def test_sentence_survives_copying(error: Exception, sentence: str) -> None:
    for each in (error, copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert str(each) == sentence
        assert vars(each) == vars(error)


def test_a_sentence_never_holds_control_characters_or_all_of_a_long_value() -> None:
    error = InvalidFieldValue("X" * 10_000, "\x1b[31m\r\n" * 10_000)
    assert str(error).isprintable()
    assert len(str(error)) < 1000


def test_wrong_fields_and_cookies_are_value_errors_too() -> None:
    assert issubclass(InvalidFieldName, HTTPInputError)
    assert issubclass(InvalidFieldName, ValueError)
    assert issubclass(InvalidFieldValue, HTTPInputError)
    assert issubclass(InvalidFieldValue, ValueError)
    assert issubclass(InvalidCookie, CookieError)
    assert issubclass(InvalidCookie, ValueError)
    assert not issubclass(HTTPOutputError, HTTPInputError)
