from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., "CompletedProcess[str]"]

TEST = """
import os, subprocess, sys
import tornado.util

def test_it(pytestconfig):
    assert tornado.util.__name__ == "zonda.ioloop.util"
    text = "import tornado.util; print(tornado.util.__name__)"
    out = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert out.stdout == "zonda.ioloop.util\\n"
"""

WAYS: dict[str, tuple[list[str], str, dict[str, str]]] = {
    "option": (["--zonda-tornado"], "", {}),
    "setting": ([], "zonda_tornado = true", {}),
    "environment": ([], "", {"ZONDA_TORNADO": "1"}),
    "both": (["--zonda-tornado"], "zonda_tornado = true", {"ZONDA_TORNADO": "1"}),
}


@pytest.fixture
def pytest_in(run: Run, tmp_path: Path, path_of_original: str) -> Callable[..., str]:
    """Runs pytest on `TEST` in a folder of its own; its report comes back."""
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / "conftest.py").write_text("import tornado.util\n")

    def pytest_in(
        *options: str, ini: str = "", env: dict[str, str] | None = None, status: int = 0
    ) -> str:
        (tmp_path / "pytest.ini").write_text(f"[pytest]\nfilterwarnings = error\n{ini}\n")
        environment = {"PYTHONPATH": path_of_original} | (env or {})
        command = ["-m", "pytest", "-q", "-v", "-p", "no:cacheprovider", *options]
        result = run(*command, env=environment, check=False)
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout + result.stderr

    return pytest_in


@pytest.mark.parametrize("way", WAYS)
def test_switched_on(pytest_in: Callable[..., str], way: str) -> None:
    options, ini, env = WAYS[way]
    report = pytest_in(*options, ini=ini, env=env)
    assert "1 passed" in report
    assert "tornado: Zonda's drop-in" in report


def test_off_by_default(pytest_in: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("")
    (tmp_path / "test_it.py").write_text(
        "import zonda.tornado\ndef test_it(): assert not zonda.tornado.is_installed()\n"
    )
    report = pytest_in()
    assert "1 passed" in report
    assert "Zonda's drop-in" not in report


def test_refused_when_another_plugin_was_earlier(
    pytest_in: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "early.py").write_text(
        "import sys, types\nsys.modules.setdefault('tornado', types.ModuleType('tornado'))\n"
    )
    report = pytest_in("-p", "early", "--zonda-tornado", status=4)
    assert "zonda-tornado: the original Tornado has been imported already" in report
    assert "Traceback" not in report
