"""What goes wrong while somebody signs in."""

import pytest

from zonda.web.auth import AuthError


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (AuthError(), ""),
        (AuthError("no"), "no"),
        (AuthError("no", "denied"), "no: denied"),
        (AuthError("no", "denied", "by the user"), "no: denied (by the user)"),
    ],
)
def test_sentence(error: AuthError, sentence: str) -> None:
    assert str(error) == sentence


def test_facts() -> None:
    error = AuthError("no", "denied", "by the user")
    assert (error.error, error.description) == ("denied", "by the user")
    assert AuthError("no").error is None
