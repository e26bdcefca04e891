"""`dev release`: a clone of this repository is released, package by package."""

import doctest
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "release.py"

pytestmark = pytest.mark.skipif(
    not (Path(sys.executable).with_name("towncrier")).exists(), reason="needs towncrier and uv"
)


@pytest.fixture
def release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_versions_and_bounds(release: ModuleType) -> None:
    failed, tried = doctest.testmod(release)
    assert (failed, tried > 5) == (0, True)


@pytest.mark.parametrize(
    ("before", "version", "floor", "after"),
    [
        ("zonda-web>=0.1.0,<0.2", "0.1.1", False, "zonda-web>=0.1.0,<0.2"),
        ("zonda-web>=0.1.0,<0.2", "0.2.0", False, "zonda-web>=0.1.0,<0.3"),
        ("zonda-web>=0.1.0,<0.2", "0.2.0", True, "zonda-web>=0.2.0,<0.3"),
        ("zonda-web[a,b]>=0.9.0,<0.10", "1.0.0", False, "zonda-web[a,b]>=0.9.0,<2"),
        ("zonda-web>=1.2.0,<2", "1.3.0", True, "zonda-web>=1.3.0,<2"),
        ("zonda-websocket>=0.1.0,<0.2", "0.2.0", True, "zonda-websocket>=0.1.0,<0.2"),
    ],
)
def test_bounds_follow(
    release: ModuleType, before: str, version: str, floor: bool, after: str
) -> None:
    text = f'["other>=1", "{before}"]'
    assert release.follow(text, "zonda-web", version, floor=floor) == f'["other>=1", "{after}"]'


IDENTITY = os.environ | {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Test"), ("EMAIL", "test@example.com"))
}


class Clone:
    """A clone of this repository in which releases are made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
        # What is not committed yet is what is tested.
        (folder / "tools").mkdir(exist_ok=True)
        (folder / "tools" / "release.py").write_text(TOOL.read_text())
        for name in ("httputil", "web", "zonda"):
            news = folder / "packages" / name / "news" / "for-this-test.added.md"
            news.write_text("Something that a test needs.\n")
        self.commit("prepare")

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", *words],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
            env=IDENTITY,
        ).stdout

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)

    def release(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, self.folder / "tools" / "release.py", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env=IDENTITY,
        )

    def read(self, path: str) -> str:
        return (self.folder / "packages" / path).read_text()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


def refused(done: subprocess.CompletedProcess[str], part: str) -> None:
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("dev: ")
    assert part in done.stderr


def test_two_releases_in_a_row(clone: Clone) -> None:
    done = clone.release("httputil", "first")
    assert done.returncode == 0, done.stderr
    assert clone.git("tag").split() == ["zonda-httputil-v0.1.0"]
    assert clone.git("status", "--porcelain") == ""
    assert "Something that a test needs." in clone.read("httputil/CHANGELOG.md")
    assert not list((clone.folder / "packages/httputil/news").glob("[!.]*"))

    (clone.folder / "packages/httputil/news/more.changed.md").write_text("More.\n")
    clone.commit("more")
    done = clone.release("zonda-httputil", "minor")
    assert done.returncode == 0, done.stderr
    assert clone.git("tag").split() == ["zonda-httputil-v0.1.0", "zonda-httputil-v0.2.0"]
    assert 'version = "0.2.0"' in clone.read("httputil/pyproject.toml")
    assert '"zonda-httputil>=0.1.0,<0.3"' in clone.read("web/pyproject.toml")
    assert '"zonda-httputil>=0.2.0,<0.3"' in clone.read("zonda/pyproject.toml")
    news = clone.read("web/news/zonda-httputil-0-2-0.changed.md")
    assert news == "Works with zonda-httputil 0.2.0.\n"
    assert 'version = "0.1.0"' in clone.read("web/pyproject.toml")  # versions move on their own
    built = sorted(file.name for file in (clone.folder / "dist/release").iterdir())
    assert [name for name in built if name.startswith("zonda")] == [
        "zonda_httputil-0.2.0-py3-none-any.whl",
        "zonda_httputil-0.2.0.tar.gz",
    ]
    assert "uv publish" in done.stdout


def test_what_is_in_the_way_is_said_and_changes_nothing(clone: Clone) -> None:
    head = clone.git("rev-parse", "HEAD")
    refused(clone.release("nothing", "minor"), "there is no package 'nothing'")
    refused(clone.release("web", "minor"), "was never released")
    (clone.folder / "packages/web/README.md").write_text("")
    refused(clone.release("web", "first"), "not committed")
    clone.git("checkout", "--quiet", "packages/web/README.md")
    for fragment in (clone.folder / "packages/ioloop/news").glob("[!.]*"):
        fragment.unlink()
    clone.commit("no news")
    refused(clone.release("ioloop", "first"), "say what users will notice")
    # A manifest that cannot be built: everything is put back.
    manifest = clone.folder / "packages/web/pyproject.toml"
    manifest.write_text(manifest.read_text().replace('readme = "README.md"', 'readme = "NO.md"'))
    clone.commit("broken")
    refused(clone.release("web", "first"), "nothing was changed")
    assert clone.git("status", "--porcelain") == ""
    assert clone.git("tag") == ""
    assert clone.git("rev-parse", "HEAD~2") == head
