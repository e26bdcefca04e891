"""Fuzz conditional requests: nothing raises, and what is compared are entity tags.

Run: ``python3 dev fuzz conditional [libFuzzer options]``.
"""

import sys
from datetime import UTC, datetime

import atheris

with atheris.instrument_imports():
    from zonda.httputil.conditional import (
        evaluate_preconditions,
        parse_entity_tag,
        parse_entity_tags,
        range_applies,
    )

FIELDS = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")
MODIFIED = datetime(2024, 2, 29, 12, tzinfo=UTC)


def one_input(data: bytes) -> None:
    """What atheris calls."""
    text = data.decode("latin-1")
    tag = parse_entity_tag(text)
    if tag is not None:
        assert str(tag) == text.strip(" \t")
        assert parse_entity_tags(text) == [tag]
    tags = parse_entity_tags(text)
    if tags == "*":
        assert text.strip(" \t") == "*"
    else:
        assert parse_entity_tags(", ".join(map(str, tags))) == tags, text
    for field in FIELDS:
        for method in ("GET", "PUT"):
            for exists in (True, False):
                status = evaluate_preconditions(
                    method, {field: text}, etag=text, last_modified=MODIFIED, exists=exists
                )
                assert status != 304 or method == "GET"
    for each in [] if tags == "*" else tags:
        status = evaluate_preconditions("GET", {"If-None-Match": text}, etag=each)
        assert status == 304, text
    range_applies({"If-Range": text}, etag=text, last_modified=MODIFIED)
    assert range_applies({"If-Range": text}, etag=tag) is (tag is not None and not tag.weak), text


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
