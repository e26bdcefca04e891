"""A public name that goes, comes or changes its parameters is seen in review: in a file."""

import importlib.util
import sys
from difflib import unified_diff
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_snapshot_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location(
        "public_names", ROOT / "tests" / "public_names.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["public_names"] = module
    spec.loader.exec_module(module)
    then = module.SNAPSHOT.read_text().splitlines()
    now = module.public_names()
    changes = "\n".join(unified_diff(then, now, "public_names.txt", "sources", lineterm="", n=0))
    assert not changes, f"{changes}\nIf that is meant: python tests/public_names.py --write"
