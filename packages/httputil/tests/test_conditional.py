"""Conditional requests, in the order of RFC 9110 section 13.2.2."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.conditional import (
    EntityTag,
    evaluate_preconditions,
    parse_entity_tag,
    parse_entity_tags,
    range_applies,
)
from zonda.httputil.headers import HTTPHeaders

BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
THEN = "Sun, 06 Nov 1994 08:49:37 GMT"
AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"
MODIFIED = datetime(1994, 11, 6, 8, 49, 37, 999_999)


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("*", "*"),
        (" * ", "*"),
        ("", []),
        ('"a"', [EntityTag("a")]),
        ('"a", W/"b" ,"c"', [EntityTag("a"), EntityTag("b", True), EntityTag("c")]),
        ('"a,b",""', [EntityTag("a,b"), EntityTag("")]),
        ('w/"a"', []),
        ('a, "b', []),
        ('"a"x, "b"', [EntityTag("b")]),
        ('"a b", "c"', [EntityTag("c")]),
        ('*, "a"', [EntityTag("a")]),
        ('"\xe9"', [EntityTag("\xe9")]),
        (',,"a",', [EntityTag("a")]),
    ],
)
def test_lists_of_entity_tags(value: str, tags: object) -> None:
    assert parse_entity_tags(value) == tags


@pytest.mark.parametrize(
    ("one", "other", "strongly", "weakly"),
    [
        # The table of RFC 9110 section 8.8.3.2.
        ('W/"1"', 'W/"1"', False, True),
        ('W/"1"', 'W/"2"', False, False),
        ('W/"1"', '"1"', False, True),
        ('"1"', '"1"', True, True),
    ],
)
def test_comparison(one: str, other: str, strongly: bool, weakly: bool) -> None:
    first, second = parse_entity_tag(one), parse_entity_tag(other)
    assert first is not None
    assert second is not None
    assert first.matches_strongly(second) is strongly
    assert first.matches_weakly(second) is weakly
    assert str(first) == one


@pytest.mark.parametrize("value", ["", "a", '"a', 'w/"a"', '"a""b"', '"a b"', '"a"\n', "*"])
def test_what_is_no_entity_tag(value: str) -> None:
    assert parse_entity_tag(value) is None


@pytest.mark.parametrize(
    ("headers", "reading", "writing"),
    [
        # Answers to GET and HEAD, and to PUT, for something with the tag "a" modified THEN.
        ({}, None, None),
        ({"If-Match": '"a"'}, None, None),
        ({"If-Match": '"b", "a"'}, None, None),
        ({"If-Match": "*"}, None, None),
        ({"If-Match": '"b"'}, 412, 412),
        ({"If-Match": 'W/"a"'}, 412, 412),
        ({"If-Match": "nonsense"}, 412, 412),
        ({"If-Unmodified-Since": THEN}, None, None),
        ({"If-Unmodified-Since": AFTER}, None, None),
        ({"If-Unmodified-Since": BEFORE}, 412, 412),
        ({"If-Unmodified-Since": "nonsense"}, None, None),
        ({"If-None-Match": '"a"'}, 304, 412),
        ({"If-None-Match": 'W/"a"'}, 304, 412),
        ({"If-None-Match": '"b", W/"a"'}, 304, 412),
        ({"If-None-Match": "*"}, 304, 412),
        ({"If-None-Match": '"b"'}, None, None),
        ({"If-None-Match": "nonsense"}, None, None),
        ({"If-Modified-Since": THEN}, 304, None),
        ({"If-Modified-Since": AFTER}, 304, None),
        ({"If-Modified-Since": BEFORE}, None, None),
        ({"If-Modified-Since": "nonsense"}, None, None),
        # Precedence: tags before dates, If-Match before If-None-Match.
        ({"If-Match": '"a"', "If-Unmodified-Since": BEFORE}, None, None),
        ({"If-None-Match": '"b"', "If-Modified-Since": AFTER}, None, None),
        ({"If-None-Match": '"a"', "If-Modified-Since": BEFORE}, 304, 412),
        ({"If-Match": '"b"', "If-None-Match": '"a"'}, 412, 412),
        ({"If-Match": '"a"', "If-None-Match": '"a"'}, 304, 412),
        ({"If-Unmodified-Since": BEFORE, "If-None-Match": '"a"'}, 412, 412),
        ({"If-Unmodified-Since": AFTER, "If-Modified-Since": AFTER}, 304, None),
    ],
)
def test_order(headers: dict[str, str], reading: int | None, writing: int | None) -> None:
    given_headers = HTTPHeaders(headers)
    for method, wanted in (("GET", reading), ("HEAD", reading), ("PUT", writing)):
        for etag in ('"a"', EntityTag("a")):
            status = evaluate_preconditions(
                method, given_headers, etag=etag, last_modified=MODIFIED
            )
            assert status == wanted, method


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": "*"}, 412),
        ({"If-Match": '"a"'}, 412),
        ({"If-None-Match": "*"}, None),
        ({"If-None-Match": '"a"'}, None),
        ({"If-Unmodified-Since": BEFORE}, None),
        ({"If-Modified-Since": AFTER}, None),
    ],
)
def test_something_that_does_not_exist_yet(headers: dict[str, str], status: int | None) -> None:
    assert evaluate_preconditions("PUT", headers, exists=False) == status
    assert evaluate_preconditions("PUT", headers, etag='"a"', exists=False) == status


def test_a_weak_tag_of_ours() -> None:
    assert evaluate_preconditions("GET", {"If-None-Match": '"a"'}, etag='W/"a"') == 304
    assert evaluate_preconditions("GET", {"If-Match": '"a"'}, etag='W/"a"') == 412


@pytest.mark.parametrize(
    ("value", "applies"),
    [
        (None, True),
        ('"a"', True),
        ('"b"', False),
        ('W/"a"', False),
        (THEN, True),
        (BEFORE, False),
        (AFTER, False),
        ("nonsense", False),
        ("*", False),
    ],
)
def test_if_range(value: str | None, applies: bool) -> None:
    headers = {} if value is None else {"If-Range": value}
    aware = MODIFIED.replace(tzinfo=UTC)
    assert range_applies(headers, etag='"a"', last_modified=aware) is applies
    if value is not None:
        assert not range_applies(headers)
        assert not range_applies(headers, etag='W/"a"')


@given(st.lists(st.builds(EntityTag, st.text("ab,*/W\xe9"), st.booleans()), min_size=1))
def test_lists_are_read_back(tags: list[EntityTag]) -> None:
    assert parse_entity_tags(" , ".join(map(str, tags))) == tags


@given(st.text('"W/a, *\\') | st.text())
def test_nothing_raises(value: str) -> None:
    names = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range")
    for name in names:
        evaluate_preconditions("GET", {name: value}, etag='"a"', last_modified=MODIFIED)
        range_applies({name: value}, etag='"a"', last_modified=MODIFIED)


@pytest.mark.parametrize(
    "value", ['"a",' * 50_000, '"' * 500_001, 'W/"' * 100_000, "W/" * 500_000, " \t" * 500_000]
)
def test_linear(value: str) -> None:
    start = time.process_time()
    parse_entity_tags(value)
    assert time.process_time() - start < 0.8
