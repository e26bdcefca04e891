"""Error pages."""

import pytest

from zonda.web.errorpage import error_page, reason_phrase


def test_the_reason_is_escaped() -> None:
    page = error_page(400, "<script>alert('x')</script>")
    assert "<script>" not in page
    assert "400: &lt;script&gt;" in page


@pytest.mark.parametrize(
    ("status", "phrase"), [(200, "OK"), (404, "Not Found"), (299, "Unknown"), (999, "Unknown")]
)
def test_reason_phrases(status: int, phrase: str) -> None:
    assert reason_phrase(status) == phrase
