"""Whether the client has this version."""

import pytest

from zonda.web.etag import client_has


@pytest.mark.parametrize(
    ("condition", "etag", "has"),
    [
        ('"a"', '"a"', True),
        ('W/"a"', '"a"', True),
        ('"a"', 'W/"a"', True),
        ('"b", "a"', '"a"', True),
        ("*", '"a"', True),
        ('"b"', '"a"', False),
        ("a", '"a"', False),
        ('"a', '"a"', False),
        ("", '"a"', False),
        ('"a"', "not a tag", False),
    ],
)
def test_client_has(condition: str, etag: str, has: bool) -> None:
    assert client_has(condition, etag) is has
