"""Each default in docs/limits.md is the one in the code."""

import dataclasses
import importlib
import inspect
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "limits.md"
ROW = re.compile(r"^\| (?P<what>[^|]+) \| (?P<default>[^|]+) \| `(?P<where>[^`|]+)` \|$", re.M)
WHERE = re.compile(r"(?P<path>[\w.]+)(?:\((?P<parameter>\w+)\)|\[(?P<key>\w+)\])?")
UNITS = {"KiB": 1024, "MiB": 1024**2, "s": 1, "": 1}
ROWS = [match.groupdict() for match in ROW.finditer(PAGE.read_text())]


def find(path: str) -> tuple[object, str]:
    """The object that holds the last part of a dotted path, and that part."""
    *parts, last = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found, last
    raise AssertionError(f"{path} is nowhere")


def in_code(where: str) -> object:
    match = WHERE.fullmatch(where)
    assert match
    holder, name = find(match["path"])
    if isinstance(holder, type) and dataclasses.is_dataclass(holder):
        return next(field.default for field in dataclasses.fields(holder) if field.name == name)
    value = getattr(holder, name)
    if match["parameter"]:
        return inspect.signature(value).parameters[match["parameter"]].default
    return value[match["key"]] if match["key"] else value


def on_page(text: str) -> float | None:
    if text == "none":
        return None
    number, _, unit = text.partition(" ")
    return float(number) * UNITS[unit]


def test_every_row_is_read() -> None:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    tables = sum(line.startswith("|---") for line in lines)
    assert len(ROWS) == len(lines) - 2 * tables > 50


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["where"]))
def test_default(row: dict[str, str]) -> None:
    assert in_code(row["where"]) == on_page(row["default"])
