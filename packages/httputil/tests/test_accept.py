"""Content negotiation."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.accept import (
    Preference,
    choose_encoding,
    choose_language,
    choose_media_type,
    media_type_quality,
    parse_accept,
)

RFC_EXAMPLE = (
    "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
    "text/plain;format=fixed;q=0.4, */*;q=0.5"
)


@pytest.mark.parametrize(
    ("value", "preferences"),
    [
        ("", []),
        (" , ,", []),
        ("text/html", [("text/html", {}, 1.0)]),
        ("Text/HTML ; Level=1 ; Q=0.5", [("text/html", {"level": "1"}, 0.5)]),
        ('a/b;x="1,2;q=0";q=0.25, c/d', [("a/b", {"x": "1,2;q=0"}, 0.25), ("c/d", {}, 1.0)]),
        ("gzip;q=0, *;q=0.001, br;q=1.000", [("gzip", {}, 0), ("*", {}, 0.001), ("br", {}, 1)]),
        # An invalid weight takes its member with it.
        ("a;q=2, b;q=-1, c;q=x, d;q=0.0001, e;q=nan, f;q=, g;q=1e0, h;q=\u0661, i", [("i", {}, 1)]),
        # What can be no name does, too.
        ('", a', []),
        ("a b, a/b/c, /a, a/, ;q=1, \u212aa, a@b, d", [("d", {}, 1)]),
        ('a;x="open, b', [("a", {"x": '"open, b'}, 1)]),
    ],
)
def test_parse(value: str, preferences: list[tuple[str, dict[str, str], float]]) -> None:
    assert parse_accept(value) == [Preference(*each) for each in preferences]


@pytest.mark.parametrize(
    ("media_type", "quality"),
    [
        ("text/plain;format=flowed", 1),
        ("text/plain", 0.7),
        ("text/html", 0.3),
        ("image/jpeg", 0.5),
        ("text/plain;format=fixed", 0.4),
        ("text/html;level=3", 0.3),
        ("TEXT/Plain", 0.7),
    ],
)
def test_the_table_of_rfc_9110_section_12_5_1(media_type: str, quality: float) -> None:
    assert media_type_quality(RFC_EXAMPLE, media_type) == quality


@pytest.mark.parametrize(
    ("header", "offers", "choice"),
    [
        (None, ["a/b", "c/d"], "a/b"),
        ("", ["a/b"], "a/b"),
        ("*/*", ["a/b", "c/d"], "a/b"),
        ("c/d, */*;q=0.1", ["a/b", "c/d"], "c/d"),
        ("a/*;q=0.2, c/*;q=0.3", ["a/b", "c/d"], "c/d"),
        ("a/b;q=0, */*", ["a/b", "c/d"], "c/d"),
        ("x/y", ["a/b"], None),
        ("a/b;q=0", ["a/b"], None),
        ("nonsense", ["a/b"], None),
        ("\u212a/b, */*;q=0", ["k/b"], None),
        ("*/*", [], None),
        # What browsers send for a page.
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
         ["application/json", "text/html"], "text/html"),
    ],
)  # fmt: skip
def test_media_type(header: str | None, offers: list[str], choice: str | None) -> None:
    assert choose_media_type(header, offers) == choice


@pytest.mark.parametrize(
    ("header", "offers", "choice"),
    [
        (None, ["gzip"], "identity"),
        ("", ["gzip"], "identity"),
        ("gzip", ["gzip"], "gzip"),
        ("GZIP", ["gzip"], "gzip"),
        ("x-gzip", ["gzip"], "gzip"),
        ("gzip, deflate, br, zstd", ["zstd", "br", "gzip"], "zstd"),
        ("gzip, br;q=0.9", ["br", "gzip"], "gzip"),
        ("gzip;q=0", ["gzip"], "identity"),
        ("gzip;q=0.0", ["gzip"], "identity"),
        ("*", ["br", "gzip"], "br"),
        ("br;q=0, *", ["br", "gzip"], "gzip"),
        ("identity;q=0.5, gzip;q=0.2", ["gzip"], "identity"),
        ("identity, gzip", ["gzip"], "gzip"),
        ("identity;q=0", ["gzip"], None),
        ("identity;q=0, gzip;q=0.1", ["gzip"], "gzip"),
        ("*;q=0", ["gzip"], None),
        ("*;q=0, identity", ["gzip"], "identity"),
        ("*;q=0, gzip", ["gzip"], "gzip"),
        # A substring is no match.
        ("notgzip, gzipped", ["gzip"], "identity"),
        ("gzip", [], "identity"),
        ("g zip", ["gzip"], "identity"),
    ],
)
def test_encoding(header: str | None, offers: list[str], choice: str | None) -> None:
    assert choose_encoding(header, offers) == choice


@pytest.mark.parametrize(
    ("header", "offers", "choice"),
    [
        (None, ["en"], None),
        ("", ["en"], None),
        ("fr", ["en", "fr"], "fr"),
        ("fr-CA, en;q=0.8", ["en", "fr"], "fr"),
        ("en;q=0.8, fr-CA", ["en", "fr"], "fr"),
        ("zh-Hant-TW", ["zh", "zh_Hant"], "zh_Hant"),
        ("zh-Hant-x-private", ["zh-hant-x", "zh"], "zh"),
        ("pt-BR", ["pt_BR", "pt"], "pt_BR"),
        ("de", ["de-AT"], None),
        ("*", ["en", "fr"], "en"),
        ("en;q=0, *", ["en", "fr"], "fr"),
        ("en;q=0", ["en"], None),
        ("en;q=0, *", ["en"], None),
        ("en-US, en;q=0", ["en"], None),
        ("de, *;q=0.1", ["en"], "en"),
        ("123456789, e!, fr", ["fr"], "fr"),
    ],
)
def test_language(header: str | None, offers: list[str], choice: str | None) -> None:
    assert choose_language(header, offers) == choice


@given(st.text('abz/*;q=01.," -\\') | st.text())
def test_nothing_raises_and_only_offers_come_out(header: str) -> None:
    assert choose_media_type(header, ["a/b", "z/*"]) in ("a/b", "z/*", None)
    assert choose_encoding(header, ["a", "b"]) in ("a", "b", "identity", None)
    assert choose_language(header, ["a", "b-z"]) in ("a", "b-z", None)
    assert all(0 <= each.quality <= 1 for each in parse_accept(header))


@pytest.mark.parametrize(
    "header",
    ["a/b," * 20_000, ";q=1" * 50_000, '"' * 200_001, 'a;x="' + "\\," * 100_000, "," * 1_000_000,
     "-".join(["a"] * 100_000), ("a-" * 50 + "b,") * 2000],
)  # fmt: skip
def test_linear(header: str) -> None:
    start = time.process_time()
    choose_media_type(header, ["a/b"] * 5)
    choose_encoding(header, ["a"] * 5)
    choose_language(header, ["a"] * 5)
    assert time.process_time() - start < 1.5


# Encodings as werkzeug would choose them, where it does not agree.
WERKZEUG_DIFFERS = {
    "identity;q=0": "None here: nothing is acceptable",
}


@pytest.mark.parametrize(
    "header",
    ["gzip, br;q=0.9", "br, gzip;q=0.9", "gzip;q=0, br", "*", "br;q=0, *", "gzip, br",
     *WERKZEUG_DIFFERS],
)  # fmt: skip
def test_against_werkzeug(header: str) -> None:
    http = pytest.importorskip("werkzeug.http")
    offers = ["br", "gzip"]
    theirs = http.parse_accept_header(
        header, pytest.importorskip("werkzeug.datastructures").Accept
    ).best_match(offers, default="identity")
    same = choose_encoding(header, offers) == theirs
    assert same is (header not in WERKZEUG_DIFFERS), theirs
