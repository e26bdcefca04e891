"""What the built distributions hold: their own folder, ``py.typed``, the licence, nothing else."""

import email
import email.message
import os
import tarfile
import tomllib
import zipfile
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIST = Path(os.environ.get("ZONDA_DIST", ROOT / "dist"))
NAMES = sorted(file.parent.name for file in ROOT.glob("packages/*/pyproject.toml"))
WITH_CODE = [name for name in NAMES if name != "zonda"]

pytestmark = pytest.mark.skipif(
    "ZONDA_DIST" not in os.environ, reason="looks at dist/, which `dev test house` builds"
)


@cache
def project(name: str) -> dict[str, object]:
    table: dict[str, object] = tomllib.loads(
        (ROOT / "packages" / name / "pyproject.toml").read_text()
    )["project"]
    return table


@cache
def wheel_names(name: str) -> list[str]:
    with zipfile.ZipFile(wheel(name)) as archive:
        return archive.namelist()


def distribution(name: str) -> str:
    return str(project(name)["name"]).replace("-", "_")


def wheel(name: str) -> Path:
    return DIST / f"{distribution(name)}-{project(name)['version']}-py3-none-any.whl"


def metadata(name: str) -> email.message.Message:
    info = f"{distribution(name)}-{project(name)['version']}.dist-info"
    with zipfile.ZipFile(wheel(name)) as archive:
        return email.message_from_bytes(archive.read(f"{info}/METADATA"))


@pytest.mark.parametrize("name", NAMES)
def test_wheel_writes_only_into_its_own_folder(name: str) -> None:
    allowed = [f"{distribution(name)}-{project(name)['version']}.dist-info/"]
    if name != "zonda":
        allowed.append(f"zonda/{name}/")
    strays = [file for file in wheel_names(name) if not file.startswith(tuple(allowed))]
    # At the root of site-packages there is the drop-in's environment switch, and the fixtures of
    # zonda-web: pytest loads them in every run, and must not import a package for them.
    if name == "tornado":
        assert [file.rpartition(".")[2] for file in strays] == ["pth"], strays
    else:
        assert strays == (["pytest_zonda.py"] if name == "web" else []), strays


@pytest.mark.parametrize("name", WITH_CODE)
def test_wheel_holds_every_source_file(name: str) -> None:
    source = ROOT / "packages" / name / "src"
    expected = {
        str(file.relative_to(source))
        for file in (source / "zonda").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {file for file in wheel_names(name) if file.startswith("zonda/")} == expected
    assert f"zonda/{name}/py.typed" in expected


def test_meta_package_has_no_code() -> None:
    assert [file for file in wheel_names("zonda") if ".dist-info/" not in file] == []


@pytest.mark.parametrize("name", NAMES)
def test_metadata(name: str) -> None:
    fields = metadata(name)
    assert fields["Name"] == project(name)["name"]
    assert fields["License-Expression"] == "Apache-2.0"
    assert fields["Requires-Python"] == ">=3.11"
    assert any(file.endswith("/licenses/LICENSE") for file in wheel_names(name))
    readme = (ROOT / "packages" / name / "README.md").read_text()
    assert str(fields.get_payload()).strip() == readme.strip()


@pytest.mark.parametrize("name", NAMES)
def test_siblings_have_a_floor_and_a_ceiling(name: str) -> None:
    dependencies = project(name)["dependencies"]
    assert isinstance(dependencies, list)
    for requirement in dependencies:
        assert requirement.startswith("zonda-"), "only siblings are required"
        assert ">=" in requirement, requirement
        assert ",<" in requirement, requirement


@pytest.mark.parametrize("name", NAMES)
def test_sdist_can_stand_alone(name: str) -> None:
    stem = f"{distribution(name)}-{project(name)['version']}"
    with tarfile.open(DIST / f"{stem}.tar.gz") as archive:
        files = archive.getnames()
    for file in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "PKG-INFO"):
        assert f"{stem}/{file}" in files
