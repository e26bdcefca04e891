"""``dev``: what it says when something is missing, and the parts that need no network."""

import argparse
import ast
import errno
import importlib.machinery
import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEV = ROOT / "dev"


@pytest.fixture
def dev() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("dev", str(DEV))
    spec = importlib.util.spec_from_loader("dev", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def run_dev(*words: object, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    command = [python, str(DEV), *(str(word) for word in words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def assert_one_sentence(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("dev: ")
    assert done.stderr.count("\n") == 1
    for part in parts:
        assert part in done.stderr


# -- an old Python -------------------------------------------------------------------------------

PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
OLD = [
    str(file)
    for minor in range(6, 11)
    for file in sorted(PYENV.glob(f"versions/3.{minor}.*/bin/python3"))[:1]
]


def test_parses_on_old_pythons() -> None:
    ast.parse(DEV.read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("python", OLD, ids=lambda path: path.split("/")[-3])
def test_old_python_is_told(python: str) -> None:
    done = run_dev("demo", python=python)
    assert_one_sentence(done, "Python 3.11 or newer is needed", python)


# -- what may be missing -------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_missing_module_is_told(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == module else there(name)
    )
    with pytest.raises(SystemExit, match=f"lacks the {module} module; .*python3-venv") as caught:
        dev.make_venv()
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("flags", [[], ["--check"]])
def test_taken_port_is_told(flags: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = run_dev("demo", "--port", port, *flags)
    assert_one_sentence(done, f"port {port} is taken", f"--port {port + 1}")


def test_port_taken_on_ipv6_only(dev: ModuleType) -> None:
    try:
        server = socket.create_server(("::", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with server:
        assert dev.in_the_way(server.getsockname()[1]) == "is taken"


def test_free_port(dev: ModuleType) -> None:
    assert dev.in_the_way(dev.free_port()) is None


def test_port_that_needs_rights(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(SystemExit, match=r"port 80 needs more rights than yours; .* --port 1024"):
        dev.main(["demo", "--port", "80"])


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_what_is_no_port(port: str) -> None:
    done = run_dev("demo", "--port", port)
    assert done.returncode == 2
    assert port in done.stderr.splitlines()[-1]


def test_unknown_command() -> None:
    done = run_dev("tset")
    assert done.returncode == 2
    assert "invalid choice: 'tset'" in done.stderr


def test_unknown_option() -> None:
    done = run_dev("demo", "--prot", "1")
    assert done.returncode == 2
    assert "--prot" in done.stderr


def test_fuzz_lists_its_targets() -> None:
    done = run_dev("fuzz")
    assert_one_sentence(done, "name one of these targets")


# -- where it finds things -----------------------------------------------------------------------


def test_packages_come_after_what_they_need(dev: ModuleType) -> None:
    names = [folder.name for folder in dev.packages()]
    assert sorted(names) == sorted(file.name for file in (ROOT / "packages").glob("[!.]*"))
    for below, above in [
        ("ioloop", "iostream"),
        ("iostream", "httpserver"),
        ("httpserver", "web"),
        ("web", "tornado"),
        ("tornado", "zonda"),
    ]:
        assert names.index(below) < names.index(above)


def test_pip_s_index_is_uv_s_too(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.delenv("UV_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://localhost:1/simple")
    dev.same_index_for_uv()
    assert os.environ["UV_DEFAULT_INDEX"] == "http://localhost:1/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "http://localhost:2/simple")
    dev.same_index_for_uv()
    assert os.environ["UV_DEFAULT_INDEX"] == "http://localhost:1/simple"


def fake_python(folder: Path, code: int) -> Path:
    folder.mkdir(parents=True)
    for version in ("3.11", "3.12", "3.13"):
        file = folder / f"python{version}"
        file.write_text(f"#!/bin/sh\nexit {code}\n")
        file.chmod(0o755)
    return folder


def test_interpreters_behind_shims_are_found(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shims = fake_python(tmp_path / "shims", code=127)
    older = fake_python(tmp_path / "versions" / "3.12.1" / "bin", code=0)
    broken = fake_python(tmp_path / "versions" / "3.13.0" / "bin", code=1)
    monkeypatch.setenv("PATH", str(shims))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    path = dev.path_for_tox().split(os.pathsep)
    assert path[0] == str(older)
    assert str(broken) not in path


def test_interpreters_on_path_stay_where_they_are(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = fake_python(tmp_path / "bin", code=0)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert dev.path_for_tox().split(os.pathsep) == [str(folder), str(dev.BIN)]


# -- the oldest siblings -------------------------------------------------------------------------


def manifest(folder: Path, version: str, *dependencies: str) -> None:
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "zonda-{folder.name}"\nversion = "{version}"\n'
        f"dependencies = {json.dumps(dependencies)}\n"
    )


def test_floors(dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    manifest(tmp_path / "packages" / "low", "0.3.0")
    manifest(tmp_path / "packages" / "mid", "0.2.0", "zonda-low>=0.1.0,<0.4")
    manifest(tmp_path / "packages" / "top", "1.0", "zonda-low>=0.3.0,<0.4", "zonda-mid>=0.2.0,<1")
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    assert dev.floors() == {"zonda-low-v0.1.0": ("low", "0.1.0")}


def test_every_floor_of_this_repository_can_be_built(dev: ModuleType) -> None:
    for tag in dev.floors():
        asked = subprocess.run(["git", "rev-parse", "-q", "--verify", tag], cwd=ROOT, check=False)
        assert asked.returncode == 0, f"no tag {tag}"


# -- the summary ---------------------------------------------------------------------------------

JUNIT = (
    """<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>"""
)


def summary(
    dev: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environments: dict[str, tuple[bool, tuple[int, int, int, int] | None]],
) -> bool:
    monkeypatch.setattr(dev, "RESULTS", tmp_path)
    report: dict[str, object] = {}
    for name, (good, counts) in environments.items():
        result = {"success": good, "exit_code": 0 if good else 1, "duration": 1.5}
        report[name] = {"result": result}
        if counts:
            (tmp_path / f"{name}.xml").write_text(JUNIT.format(*counts))
    report[".pkg"] = {}
    file = tmp_path / "tox.json"
    file.write_text(json.dumps({"testenvs": report}))
    result = dev.summarise(file)
    assert isinstance(result, bool)
    return result


@pytest.mark.parametrize(
    ("environments", "good", "closing"),
    [
        ({"a": (True, (5, 0, 0, 1)), "b": (True, None)}, True, "5 passed, 0 failed, 1 skipped"),
        ({"a": (False, (5, 1, 1, 1))}, False, "2 passed, 2 failed, 1 skipped"),
        (
            {"a": (True, (2, 0, 0, 0)), "lint": (False, None)},
            False,
            "2 passed, 1 failed, 0 skipped",
        ),
        ({"a": (False, (2, 0, 0, 0))}, False, "2 passed, 1 failed, 0 skipped"),
        ({}, False, "0 passed, 0 failed, 0 skipped"),
    ],
    ids=["good", "failed tests", "failed check", "failed beside its tests", "nothing ran"],
)
def test_summary(
    dev: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environments: dict[str, tuple[bool, tuple[int, int, int, int] | None]],
    good: bool,
    closing: str,
) -> None:
    assert summary(dev, tmp_path, monkeypatch, environments) is good
    assert capsys.readouterr().out.splitlines()[-1] == closing


def test_arguments_are_passed_on(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def tox(*words: object) -> int:
        seen.append([str(word) for word in words])
        return 0

    monkeypatch.setattr(dev, "tox", tox)
    assert dev.main(["types", "packages/web", "--pretty"]) == 0
    assert seen == [["run", "-q", "-e", "types", "--", "packages/web", "--pretty"]]


def test_help_names_every_command(dev: ModuleType) -> None:
    text = dev.parser().format_help()
    assert isinstance(dev.parser(), argparse.ArgumentParser)
    for command in ("demo", "test", "format", "types", "bench", "docs", "fuzz", "wheels"):
        assert f"    {command} " in text
        assert f"dev {command}" in (ROOT / "CONTRIBUTING.md").read_text()
