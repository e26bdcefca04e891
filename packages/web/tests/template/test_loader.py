"""Where templates come from."""

import threading
from pathlib import Path

import pytest

from zonda.web.template import BaseLoader, DictLoader, Loader, ParseError, Template

RESOLVED = [
    # name, parent, resolved
    ("x.html", None, "x.html"),
    ("x.html", "a/y.html", "a/x.html"),
    ("../x.html", "a/y.html", "x.html"),
    ("/x.html", "a/y.html", "/x.html"),
    ("x.html", "/abs/y", "x.html"),
    ("x.html", "<string>", "x.html"),
    ("b/x.html", "a/x.html", "a/b/x.html"),
    ("b//x.html", "a/x.html", "a/b/x.html"),
    ("./x.html", None, "./x.html"),
    ("../x.html", None, "../x.html"),
    (".", "a/x.html", "a"),
]


@pytest.mark.parametrize("framework", ["zonda", "tornado"])
@pytest.mark.parametrize(("name", "parent", "resolved"), RESOLVED)
def test_resolve_path(framework: str, name: str, parent: str | None, resolved: str) -> None:
    module = {"zonda": "zonda.web.template", "tornado": "tornado.template"}[framework]
    template = pytest.importorskip(module)
    for loader in (template.Loader("/templates"), template.DictLoader({})):
        assert loader.resolve_path(name, parent) == resolved


def test_paths_out_of_the_root_stay_as_they_are() -> None:
    """A directory whose name begins as the root's does is another directory."""
    loader = Loader("/templates")
    for name in ("../../x.html", "../../templates2/x.html"):
        assert loader.resolve_path(name, "a/y.html") == name
    assert DictLoader({}).resolve_path("../../x.html", "a/y.html") == "../x.html"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "page.html").write_text("{% include sub/part.html %}  !")
    (tmp_path / "sub" / "part.html").write_text("{% include other.html %}?")
    (tmp_path / "sub" / "other.html").write_text("caf\xe9", encoding="utf-8")
    return tmp_path


def test_files(folder: Path) -> None:
    loader = Loader(str(folder))
    assert loader.load("page.html").generate() == b"caf\xc3\xa9? !"
    assert loader.load("other.html", parent_path="sub/part.html").name == "sub/other.html"
    with pytest.raises(FileNotFoundError):
        loader.load("nope.html")


def test_kept_until_reset(folder: Path) -> None:
    loader = Loader(str(folder))
    page = loader.load("page.html")
    assert loader.load("page.html") is page
    assert sorted(loader.templates) == ["page.html", "sub/other.html", "sub/part.html"]
    (folder / "sub" / "other.html").write_text("new")
    assert loader.load("page.html").generate() == b"caf\xc3\xa9? !"
    loader.reset()
    assert loader.templates == {}
    assert loader.load("page.html").generate() == b"new? !"


def test_file_that_is_not_utf8(folder: Path) -> None:
    (folder / "bad.html").write_bytes(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        Loader(str(folder)).load("bad.html")


def test_settings_reach_the_templates() -> None:
    texts = {"a": "{{ f('<') }}  {{ g }}", "b": "{{ g }}"}
    loader = DictLoader(texts, autoescape=None, namespace={"f": str, "g": 1}, whitespace="single")
    assert loader.load("a").generate(g=2) == b"< 2"
    assert loader.load("b").generate() == b"1"
    loader.namespace["g"] = 3
    assert loader.load("b").generate() == b"3"


def test_broken_part_is_named() -> None:
    loader = DictLoader({"a": "\n\n{% include b %}", "b": "\n{% if %}"})
    with pytest.raises(ParseError) as caught:
        loader.load("a")
    assert (caught.value.filename, caught.value.lineno) == ("b", 2)


def test_part_is_compiled_only_when_asked_for() -> None:
    # "a" replaces the block that does not compile, so nothing is wrong with it.
    loader = DictLoader(
        {
            "a": "{% extends b %}{% block c %}fine{% end %}",
            "b": "{% block c %}{{ 1 1 }}{% end %}",
        }
    )
    assert loader.load("a").generate() == b"fine"
    with pytest.raises(ParseError):
        loader.load("b").generate()


def test_missing_name() -> None:
    with pytest.raises(KeyError):
        DictLoader({"a": "{% include b %}"}).load("a")


def test_loader_of_ones_own() -> None:
    class Mine(BaseLoader):
        def resolve_path(self, name: str, parent_path: str | None = None) -> str:
            return name.upper()

        def _create_template(self, name: str) -> Template:
            return Template(f"I am {name}", name=name, loader=self)

    assert Mine().load("x").generate() == b"I am X"
    with pytest.raises(NotImplementedError):
        BaseLoader().load("x")
    with pytest.raises(NotImplementedError):
        super(Mine, Mine())._create_template("x")


def test_threads_make_a_template_once() -> None:
    made: list[str] = []
    gate = threading.Barrier(4)

    class Slow(DictLoader):
        def _create_template(self, name: str) -> Template:
            made.append(name)
            return super()._create_template(name)

    loader = Slow({"a": "{% include b %}", "b": "b"})

    def load() -> None:
        gate.wait()
        assert loader.load("a").generate() == b"b"

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == ["a", "b"]
