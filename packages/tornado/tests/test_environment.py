import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., "CompletedProcess[str]"]

ASK = "import sys; print('zonda.tornado' in sys.modules, 'tornado' in sys.modules)"


@pytest.mark.parametrize(
    ("value", "on"), [("1", True), ("yes", True), ("0", False), ("", False), (None, False)]
)
def test_the_variable_switches_it_on(run: Run, value: str | None, on: bool) -> None:
    env = {} if value is None else {"ZONDA_TORNADO": value}
    assert run("-c", ASK, env=env).stdout.split() == [str(on)] * 2


def test_nothing_is_imported_when_it_is_off(run: Run) -> None:
    text = "import sys; print([n for n in sys.modules if n.startswith('zonda') or n == 'logging'])"
    assert run("-c", text).stdout.strip() == "[]"


def test_programs_follow(run: Run, path_of_original: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import tornado.util; print(tornado.util.__name__)")
    env = {"ZONDA_TORNADO": "1", "PYTHONPATH": path_of_original}
    for arguments in (["app.py"], ["-m", "app"], ["-m", "zonda.tornado", "app.py"]):
        assert run(*arguments, env=env).stdout == "zonda.ioloop.util\n"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        # Refused: something at start-up imported the original.
        ("import sys; sys.modules['tornado'] = sys", "ZONDA_TORNADO has no effect: the original"),
        # Not there: Python's own report of a failing .pth line.
        ("import sys; sys.modules['zonda.tornado.environment'] = None", "zonda_tornado.pth"),
    ],
)
def test_a_failure_never_keeps_python_from_starting(
    run: Run, tmp_path: Path, broken: str, message: str
) -> None:
    # sitecustomize comes after .pth files; the line is run again by hand to have it fail.
    line = next(
        file for folder in _site_folders(run) for file in Path(folder).glob("zonda_tornado.pth")
    ).read_text()
    (tmp_path / "zonda_tornado.pth").write_text(line)
    program = f"{broken}; import site; site.addsitedir({str(tmp_path)!r}); print('runs')"
    result = run("-c", f"import os; os.environ['ZONDA_TORNADO'] = '1'; {program}")
    assert result.stdout == "runs\n"
    assert message in result.stderr


def _site_folders(run: Run) -> list[str]:
    return run("-c", "import sys; print(*sys.path, sep='\\n')").stdout.splitlines()


def test_the_line_costs_nothing_when_off(run: Run) -> None:
    line = _line(run)
    assert len(line.strip().splitlines()) == 1
    assert line.startswith("import os; os.environ.get(")


def _line(run: Run) -> str:
    files = [os.path.join(folder, "zonda_tornado.pth") for folder in _site_folders(run)]
    return Path(next(file for file in files if os.path.exists(file))).read_text()
