"""The exceptions of the web layer."""

import pickle

import pytest

from zonda.web import Finish, HTTPError, MissingArgumentError

ROWS = [
    (HTTPError(), 500, "HTTP 500: Internal Server Error"),
    (HTTPError(404), 404, "HTTP 404: Not Found"),
    (HTTPError(404, "no %s", "user"), 404, "HTTP 404: Not Found (no user)"),
    (HTTPError(404, "100%"), 404, "HTTP 404: Not Found (100%)"),
    (HTTPError(404, reason="Gone fishing"), 404, "HTTP 404: Gone fishing"),
    (HTTPError(299), 299, "HTTP 299: Unknown"),
    (MissingArgumentError("name"), 400, "HTTP 400: Bad Request (Missing argument name)"),
]


@pytest.mark.parametrize(("error", "status", "text"), ROWS)
def test_sentences(error: HTTPError, status: int, text: str) -> None:
    assert error.status_code == status
    assert str(error) == text


def test_log_message_is_a_format() -> None:
    assert HTTPError(400, "100%").log_message == "100%%"
    assert HTTPError(400, "%d%%", 100).log_message == "%d%%"
    assert HTTPError(400, "%d%%", 100).get_message() == "100%"
    assert HTTPError(400).log_message is None
    assert HTTPError(400).get_message() == ""


def test_facts() -> None:
    assert MissingArgumentError("name").arg_name == "name"
    assert HTTPError(400, reason="r").reason == "r"
    assert isinstance(Finish("x"), Exception)


def test_errors_cross_processes() -> None:
    error = pickle.loads(pickle.dumps(Finish("x")))
    assert error.args == ("x",)
