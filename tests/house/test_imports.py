"""What each package's sources import is what its pyproject.toml declares.

A sibling must be a dependency, whatever the import is for. A third-party library must belong to
an extra, and the import must be one that may fail: inside ``try`` with ``except ImportError``, in
a function that runs when the extra is asked for, or for annotations only.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(file.name for file in ROOT.glob("packages/*/src/zonda/*"))

# Modules that go by another name than their distribution.
DISTRIBUTIONS = {
    "backports": "backports-zstd",
    "jwt": "pyjwt",
    "python_socks": "python-socks",
}
# Modules that are there for one library, and are loaded by it or by who asks for it.
FOR_ONE_LIBRARY = {
    "pytest_zonda.py": "pytest",
    "zonda/httpclient/curl_connection.py": "pycurl",
    "zonda/httpclient/curl_multi.py": "pycurl",
    "zonda/httpclient/curl_upload.py": "pycurl",
    "zonda/iostream/platform/caresresolver.py": "pycares",
    "zonda/ioloop/pytest_plugin.py": "pytest",
    "zonda/tornado/pytest_plugin.py": "pytest",
    "zonda/web/jinja.py": "jinja2",
}


@dataclass(frozen=True)
class Import:
    file: Path
    line: int
    module: str
    optional: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"


def may_not_run(node: ast.AST) -> bool:
    """Whether what is imported inside this node may be missing without harm."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return True
    if isinstance(node, ast.If):
        return ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
    if isinstance(node, ast.Try):
        caught = {ast.unparse(h.type) if h.type else "" for h in node.handlers}
        return bool(caught & {"ImportError", "ModuleNotFoundError"})
    return False


def imports(file: Path) -> Iterator[Import]:
    def walk(node: ast.AST, optional: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(file, child.lineno, alias.name, optional)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{file}:{child.lineno}: imports are absolute here"
                assert child.module is not None
                yield Import(file, child.lineno, child.module, optional)
            else:
                yield from walk(child, optional or may_not_run(child))

    return walk(ast.parse(file.read_text()), False)


def distribution_name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return match[0].lower()


@pytest.mark.parametrize("name", NAMES)
def test_imports_are_declared(name: str) -> None:
    manifest = ROOT / "packages" / name / "pyproject.toml"
    project = tomllib.loads(manifest.read_text())["project"]
    required = {distribution_name(r) for r in project["dependencies"]}
    extras = {
        distribution_name(requirement)
        for extra in project.get("optional-dependencies", {}).values()
        for requirement in extra
    }
    wrong = []
    for file in sorted((manifest.parent / "src").rglob("*.py")):
        for found in imports(file):
            top, _, rest = found.module.partition(".")
            if top in sys.stdlib_module_names or top == "compression":  # 3.14's
                continue
            if FOR_ONE_LIBRARY.get(str(file.relative_to(manifest.parent / "src"))) == top:
                continue
            if top == "zonda":
                sibling = rest.partition(".")[0]
                there = sibling == name or f"zonda-{sibling}" in required
                there = there or (found.optional and f"zonda-{sibling}" in extras)
            else:
                there = found.optional and DISTRIBUTIONS.get(top, top) in extras
            if not there:
                wrong.append(str(found))
    assert wrong == []


@pytest.mark.parametrize("name", ["httputil", "ioloop", "iostream"])
def test_lower_packages_require_nothing_from_outside(name: str) -> None:
    manifest = ROOT / "packages" / name / "pyproject.toml"
    project = tomllib.loads(manifest.read_text())["project"]
    assert [r for r in project["dependencies"] if not r.startswith("zonda-")] == []
