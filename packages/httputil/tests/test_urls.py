"""URLs and authorities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.errors import HTTPInputError
from zonda.httputil.escape import parse_qs_bytes
from zonda.httputil.urls import parse_authority, qs_to_qsl, split_host_and_port, url_concat


@pytest.mark.parametrize(
    ("netloc", "parts"),
    [
        ("example.com:80", ("example.com", 80)),
        ("example.com", ("example.com", None)),
        ("[::1]", ("[::1]", None)),
        ("[::1]:8080", ("[::1]", 8080)),
        ("a:", ("a:", None)),
        ("a:x", ("a:x", None)),
        ("a:80:90", ("a:80", 90)),
        ("", ("", None)),
        (":80", (":80", None)),
        ("a:\u0663", ("a:\u0663", None)),
        ("a:" + "9" * 5000, ("a:" + "9" * 5000, None)),
    ],
)
def test_split_host_and_port(netloc: str, parts: tuple[str, int | None]) -> None:
    assert split_host_and_port(netloc) == parts


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("Example.COM", ("example.com", None)),
        ("example.com:0", ("example.com", 0)),
        ("example.com:65535", ("example.com", 65535)),
        ("example.com:", ("example.com", None)),
        ("a_b.c", ("a_b.c", None)),
        ("a%41", ("a%41", None)),
        ("127.0.0.1:8888", ("127.0.0.1", 8888)),
        ("[::1]:8888", ("[::1]", 8888)),
        ("[::ffff:1.2.3.4]", ("[::ffff:1.2.3.4]", None)),
        ("[v1.a:b]", ("[v1.a:b]", None)),
        ("", ("", None)),
    ],
)
def test_authority(value: str, parts: tuple[str, int | None]) -> None:
    assert parse_authority(value) == parts


@pytest.mark.parametrize(
    "value",
    [
        "a b",
        "a,b",
        "a, b",
        "a@b",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "a:x",
        "a:-1",
        "a:+1",
        "a:1_0",
        "a:65536",
        "a:999999",
        "a:80:90",
        "a%4",
        "a%zz",
        "[::1",
        "::1",
        "[]",
        "[::1]x",
        "[g::1]",
        "[::1%eth0]",
        "\xe9",
        "a:\u0661",
        "a\n",
        "a\x00",
        "<script>",
        '"a"',
    ],
)
def test_authority_refused(value: str) -> None:
    with pytest.raises(HTTPInputError) as caught:
        parse_authority(value)
    assert caught.value.status == 400


@given(st.text(max_size=30))
def test_authority_raises_nothing_else(value: str) -> None:
    try:
        host, port = parse_authority(value)
    except HTTPInputError:
        return
    assert host == host.lower()
    assert port is None or 0 <= port <= 65535


@pytest.mark.parametrize(
    ("url", "args", "result"),
    [
        ("/a", {"b": 1}, "/a?b=1"),
        ("/a", {}, "/a"),
        ("/a", None, "/a"),
        ("/a?", {}, "/a"),
        ("/a?x=1", {"b": "\xe9"}, "/a?x=1&b=%C3%A9"),
        ("/a?x=1#f", [("b", "2"), ("b", "3")], "/a?x=1&b=2&b=3#f"),
        ("/a?x=1#f?g", (("b", "2"),), "/a?x=1&b=2#f?g"),
        ("/a?x", {"y": "z"}, "/a?x=&y=z"),
        ("http://h", {"b": 1}, "http://h?b=1"),
        ("http://h/a?x=1&x=2", (("q", "w r"),), "http://h/a?x=1&x=2&q=w+r"),
        ("?a=%20+", {"b": "+"}, "?a=++&b=%2B"),
        ("/a;p?x", {"a": b"\xff"}, "/a;p?x=&a=%FF"),
        ("//h/p", {"a": "1"}, "//h/p?a=1"),
        (" /a\r\nb", {"a": "1"}, "/ab?a=1"),
        ("/a", {"b": "x\r\nSet-Cookie: c=d"}, "/a?b=x%0D%0ASet-Cookie%3A+c%3Dd"),
        ("https://localhost/path?r=1&t=2", [("y", "y"), ("z", "&=")],
         "https://localhost/path?r=1&t=2&y=y&z=%26%3D"),
    ],
)  # fmt: skip
def test_url_concat(
    url: str, args: dict[str, object] | list[tuple[str, object]] | None, result: str
) -> None:
    assert url_concat(url, args) == result


@pytest.mark.parametrize("args", ["b=1", 5, {"a"}])
def test_url_concat_wants_pairs(args: object) -> None:
    with pytest.raises(TypeError):
        url_concat("/a", args)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.text(), st.text())), st.lists(st.tuples(st.text(), st.text())))
def test_arguments_come_back(first: list[tuple[str, str]], second: list[tuple[str, str]]) -> None:
    url = url_concat(url_concat("/path", first), second)
    pairs = [
        (name.encode("latin-1").decode(), value.decode())
        for name, value in qs_to_qsl(parse_qs_bytes(url.partition("?")[2], keep_blank_values=True))
    ]
    assert sorted(pairs) == sorted(first + second)


def test_qs_to_qsl() -> None:
    assert list(qs_to_qsl({})) == []
    assert list(qs_to_qsl({"a": [b"1", b"2"], "b": [b""]})) == [
        ("a", b"1"),
        ("a", b"2"),
        ("b", b""),
    ]
