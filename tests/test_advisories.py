"""Each published flaw and each promise of security in advisories.toml has the tests it names."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SECTIONS: dict[str, dict[str, list[str] | str]] = tomllib.loads(
    (ROOT / "tests" / "advisories.toml").read_text()
)
LINES = {
    f"{section}: {line}": holders
    for section, lines in SECTIONS.items()
    for line, holders in lines.items()
}
TEST = re.compile(r"(?P<package>\w+)/(?P<path>[\w/]+\.py)::(?P<name>test_\w+)(?:\[(?P<row>.+)\])?")


@cache
def module(package: str, path: str) -> tuple[str, frozenset[str]]:
    """Text of a test module, and the tests that pytest finds in it."""
    text = (ROOT / "packages" / package / "tests" / path).read_text()
    found = set()
    for node in ast.parse(text).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        found |= {
            each.name
            for each in inner
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and not skipped(each)
        }
    return text, frozenset(found)


def skipped(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a test never runs: skipped, or expected to fail."""
    return any(
        re.match(r"pytest\.mark\.(skip|xfail)\b", ast.unparse(decorator))
        for decorator in function.decorator_list
    )


def missing(holder: str) -> str:
    """What is wrong with the name of a test; empty if it is there."""
    match = TEST.fullmatch(holder)
    if match is None:
        return "no name of a test"
    try:
        text, tests = module(match["package"], match["path"])
    except FileNotFoundError:
        return "no such module"
    if match["name"] not in tests:
        return "no such test"
    if match["row"] and match["row"] not in text:
        return "no such row"
    return ""


@pytest.mark.parametrize("line", LINES)
def test_held(line: str) -> None:
    holders = LINES[line]
    if isinstance(holders, str):  # the reason why it cannot happen
        assert holders.endswith(".")
        return
    assert holders
    assert {holder: missing(holder) for holder in holders if missing(holder)} == {}


@pytest.mark.parametrize(
    ("holder", "fault"),
    [
        ("web/test_xsrf.py::test_refused", ""),
        ("web/test_xsrf.py::test_refused[X-Requested-With]", ""),
        ("web/test_xsrf.py::test_refused[no such row at all]", "no such row"),
        ("web/test_xsrf.py::test_gone", "no such test"),
        ("web/test_gone.py::test_refused", "no such module"),
        ("test_refused", "no name of a test"),
    ],
)
def test_a_removal_is_seen(holder: str, fault: str) -> None:
    assert missing(holder) == fault
