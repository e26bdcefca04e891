"""What of a URL's path may become a path in the file system."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.web import HTTPError
from zonda.web.staticfiles import paths


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("a.txt", "/srv/static/a.txt"),
        ("css/site-1.2_min.css", "/srv/static/css/site-1.2_min.css"),
        ("", "/srv/static"),
        ("sub/", "/srv/static/sub"),
        ("./a", "/srv/static/a"),
        ("sub/../a", "/srv/static/a"),
        ("sub//a", "/srv/static/sub/a"),
        (".well-known/x", "/srv/static/.well-known/x"),
        ("...", "/srv/static/..."),
        ("a b\u00e9", "/srv/static/a b\u00e9"),
        ("a:b", "/srv/static/a:b"),
        ("../static/a", "/srv/static/a"),
    ],
)
@pytest.mark.parametrize("root", ["/srv/static", "/srv/static/", "/srv/./static"])
def test_inside(root: str, path: str, result: str) -> None:
    assert paths.join(root, path) == result


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("..", 403),
        ("../", 403),
        ("../x", 403),
        ("../static_x", 403),
        ("../staticx/a", 403),
        ("a/../../x", 403),
        ("/etc/passwd", 403),
        ("//etc/passwd", 403),
        ("\0", 400),
        ("a.txt\0.png", 400),
        ("..\\secret", 404),
        ("sub\\a", 404),
        ("\\\\host\\share", 404),
    ],
)
def test_refused(path: str, status: int) -> None:
    with pytest.raises(HTTPError) as caught:
        paths.join("/srv/static", path)
    assert caught.value.status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "c:",
        "C:/x",
        "a.txt::$DATA",
        "sub/a.txt:stream",
        "con",
        "NUL.txt",
        "sub/aux",
        "com1",
        "LPT9.log",
        "com\xb2",
        "CONIN$",
        "con .txt",
        "a.txt.",
        "a.txt ",
        "sub./a",
    ],
)
def test_names_that_are_special_to_windows(path: str) -> None:
    with pytest.raises(HTTPError) as caught:
        paths.check_url_path(path, windows=True)
    assert caught.value.status_code == 404
    paths.check_url_path(path, windows=False)


@pytest.mark.parametrize(
    "path", ["a.txt", "console", "com", "com10", "nullable.txt", "a b", "../x"]
)
def test_names_that_are_not(path: str) -> None:
    paths.check_url_path(path, windows=True)


def test_a_relative_root_is_that_of_the_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert paths.join("static", "a") == str(tmp_path / name / "static" / "a")


def test_the_root_of_everything() -> None:
    assert paths.join("/", "etc/passwd") == "/etc/passwd"
    assert paths.is_inside("/etc", "/")


def test_links_lead_where_they_may(tmp_path: Path) -> None:
    for name in ("root", "one", "two"):
        (tmp_path / name).mkdir()
    root = str(tmp_path / "root")
    inside, one, two = (str(tmp_path / name / "file") for name in ("root", "one", "two"))
    assert paths.is_allowed(inside, root, None)
    assert not paths.is_allowed(one, root, None)
    assert paths.is_allowed(one, root, str(tmp_path / "one"))
    assert not paths.is_allowed(two, root, [str(tmp_path / "one")])
    assert paths.is_allowed(two, root, [str(tmp_path / "one"), str(tmp_path / "two")])


def test_a_root_that_is_a_link_may_be_turned(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    current = tmp_path / "current"
    current.symlink_to("one")
    assert paths.is_allowed(str(tmp_path / "one" / "a"), str(current), None)
    current.unlink()
    current.symlink_to("two")
    assert paths.is_allowed(str(tmp_path / "two" / "a"), str(current), None)


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/docs", "/docs/"),
        ("//evil.example", "/evil.example/"),
        ("/\\evil.example", "/evil.example/"),
        ("\\\\evil.example", "/evil.example/"),
        ("/a//b", "/a//b/"),
    ],
)
def test_a_slash_is_added_without_leaving_the_host(path: str, location: str) -> None:
    assert paths.slash_added(path) == location


def test_the_roots_own_separator() -> None:
    assert paths.is_inside(os.path.join("/srv", "static"), "/srv/static")


PIECES = ("..", ".", "/", "\\", "\0", "a", "root", "root_beside", "~", "%2e", ":", " ", "\u2215")


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join))
def test_nothing_leads_out(path: str) -> None:
    absolute, status = "/srv/root", None
    try:
        absolute = paths.join("/srv/root", path)
    except HTTPError as error:
        status = error.status_code
    assert status in (None, 400, 403, 404)
    assert os.path.normpath(absolute) == absolute
    assert absolute == "/srv/root" or absolute.startswith("/srv/root/")
