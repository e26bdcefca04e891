"""Programs run in processes of their own: the drop-in changes how a whole process imports."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run("-m", "zonda.tornado", "app.py", env={...})``: Python in an empty folder, drop-in off.

    Output is captured as text; ``check=True`` (default) fails the test on a status other than 0.
    """
    base = {k: v for k, v in os.environ.items() if k not in ("ZONDA_TORNADO", "PYTEST_ADDOPTS")}

    def run(
        *arguments: str, env: dict[str, str] | None = None, check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        result = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env=base | (env or {}),
        )
        if check:
            assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
        return result

    return run


@pytest.fixture(params=["alone", "beside"])
def path_of_original(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """PYTHONPATH without and with a package ``tornado`` that plays the original."""
    folder = tmp_path / "site"
    folder.mkdir()
    if request.param == "beside":
        package = folder / "tornado"
        package.mkdir()
        (package / "__init__.py").write_text("version = 'original'\n__path__ = __path__\n")
        (package / "web.py").write_text("original = True\n")
        (package / "only_there.py").write_text("")
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


@pytest.fixture
def script(run: Run, path_of_original: str, tmp_path: Path) -> Callable[[str], str]:
    """Runs a program with `install` called in its first line; its standard output comes back."""

    def script(text: str) -> str:
        file = tmp_path / "program.py"
        head = "import zonda.tornado; zonda.tornado.install()\n"
        file.write_text(head + textwrap.dedent(text))
        return run("-W", "error", str(file), env={"PYTHONPATH": path_of_original}).stdout

    return script
