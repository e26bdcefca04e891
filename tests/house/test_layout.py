"""`zonda` is a PEP 420 namespace: one stray ``__init__.py`` would hide seven packages."""

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
