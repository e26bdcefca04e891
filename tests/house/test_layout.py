"""`zonda` is a PEP 420 namespace: one stray ``__init__.py`` would hide seven packages."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PORTIONS = sorted(file.parent for file in ROOT.glob("packages/*/src/zonda/*/__init__.py"))


def test_no_package_claims_the_namespace() -> None:
    assert list(ROOT.glob("packages/*/src/zonda/__init__.py*")) == []
    assert list(ROOT.glob("packages/*/src/zonda/*.py")) == []


@pytest.mark.parametrize("folder", PORTIONS, ids=lambda folder: folder.name)
def test_each_portion_is_typed(folder: Path) -> None:
    assert (folder / "py.typed").is_file()


def test_each_distribution_holds_the_portion_of_its_own_name() -> None:
    assert [(f.parents[2].name, f.name) for f in PORTIONS] == [
        (name, name)
        for name in ("httpclient", "httpserver", "httputil", "ioloop", "iostream", "tornado", "web")
    ]


def test_no_test_folder_is_a_package() -> None:
    assert list(ROOT.glob("packages/*/tests/**/__init__.py")) == []
    assert list(ROOT.glob("tests/**/__init__.py")) == []


KINDS = ("added", "changed", "deprecated", "removed", "fixed", "security")
MANIFESTS = sorted(ROOT.glob("packages/*/pyproject.toml"))


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda file: file.parent.name)
def test_news_fragments_are_found_by_towncrier(manifest: Path) -> None:
    settings = tomllib.loads(manifest.read_text())["tool"]["towncrier"]
    assert tuple(settings["fragment"]) == KINDS
    assert (manifest.parent / settings["template"]).is_file()
    for fragment in manifest.parent.glob("news/[!.]*"):
        assert re.fullmatch(rf"[\w-]+\.({'|'.join(KINDS)})\.md", fragment.name), fragment
        assert fragment.read_text().strip()


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda file: file.parent.name)
def test_every_package_is_furnished(manifest: Path) -> None:
    for name in ("README.md", "CHANGELOG.md", "LICENSE", "news/.gitignore"):
        assert (manifest.parent / name).is_file(), name
    assert (manifest.parent / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    changelog = (manifest.parent / "CHANGELOG.md").read_text()
    assert "<!-- towncrier release notes start -->" in changelog


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda file: file.parent.name)
def test_every_package_has_its_place(manifest: Path) -> None:
    project = tomllib.loads(manifest.read_text())["project"]
    name = manifest.parent.name
    tox = (ROOT / "tox.ini").read_text()
    assert re.search(rf"^ours =.* {project['name']}\b", tox, re.M) or name == "zonda"
    if name != "zonda":
        assert re.search(rf"alone-{{[^}}]*\b{name}\b", tox)
        assert f"packages/{name}/src" in (ROOT / "mypy.ini").read_text()
        assert f"zonda.{name}\n" in (ROOT / "importlinter.ini").read_text()
        whole = tomllib.loads((ROOT / "packages/zonda/pyproject.toml").read_text())["project"]
        assert any(r.startswith(f"zonda-{name}>=") for r in whole["dependencies"])
