"""The gate against undeclared siblings, tried on a package that has one.

A copy of zonda-iostream that imports zonda.httputil without declaring it is built, installed by
the commands that tox.ini uses, and imported: it must fail - and with the import declared, work.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    "ZONDA_DIST" not in os.environ, reason="needs dist/ and uv, which `dev test house` has"
)


@pytest.fixture
def culprit(tmp_path: Path) -> Path:
    folder = tmp_path / "iostream"
    shutil.copytree(ROOT / "packages" / "iostream", folder)
    (folder / "src/zonda/iostream/__init__.py").write_text("import zonda.httputil\n")
    return folder


def import_from_its_wheel(folder: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    dist = scratch / "dist"
    for sibling in Path(os.environ["ZONDA_DIST"]).glob("zonda_*.whl"):
        if not sibling.name.startswith("zonda_iostream-"):
            dist.mkdir(exist_ok=True)
            shutil.copy(sibling, dist)
    environment = scratch / "environment"
    python = environment / "bin" / "python"

    def run(*command: object) -> None:
        subprocess.run([str(word) for word in command], check=True, cwd=folder)

    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", dist)
    run("uv", "venv", "--quiet", "--python", sys.executable, environment)
    run(
        *("uv", "pip", "install", "--quiet", "--python", python),
        *("--no-index", "--find-links", dist, "zonda-iostream"),
    )
    return subprocess.run(
        [str(python), "-c", "import zonda.iostream"], capture_output=True, text=True, check=False
    )


def test_undeclared_sibling_is_not_there(culprit: Path, tmp_path: Path) -> None:
    done = import_from_its_wheel(culprit, tmp_path)
    assert done.returncode == 1
    assert "ModuleNotFoundError: No module named 'zonda.httputil'" in done.stderr


def test_declared_sibling_is(culprit: Path, tmp_path: Path) -> None:
    manifest = culprit / "pyproject.toml"
    text = manifest.read_text()
    declared = text.replace("dependencies = [", 'dependencies = [\n    "zonda-httputil",', 1)
    assert declared != text
    manifest.write_text(declared)
    done = import_from_its_wheel(culprit, tmp_path)
    assert done.returncode == 0, done.stderr
