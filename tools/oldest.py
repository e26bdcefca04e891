"""The tests of one package, if what is installed beside it is older than what is here.

In: the package's folder and pytest's arguments. Out: pytest's exit status. While every package
accepts nothing older than today's siblings, the oldest are today's, and its tests have been run
with these in ``alone-<package>``: then all there is to check is that this is so.
"""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(package: str, *arguments: str) -> int:
    """Run the tests, or say why not."""
    today = {}
    for file in ROOT.glob("packages/*/pyproject.toml"):
        project = tomllib.loads(file.read_text())["project"]
        today[project["name"]] = project["version"]
    installed = {found.name: found.version for found in distributions() if found.name in today}
    manifest = tomllib.loads((ROOT / "packages" / package / "pyproject.toml").read_text())
    for requirement in manifest["project"]["dependencies"]:
        match = re.match(r"(zonda-[a-z]+)>=([\d.]+)", requirement)
        if match is not None:
            name, floor = match.groups()
            assert installed.get(name) == floor, f"{name} is {installed.get(name)}, not {floor}"
    older = {name: version for name, version in installed.items() if version != today[name]}
    print(f"older than today's: {older or 'nothing'}", flush=True)
    chosen = [f"packages/{package}/tests"] if older else ["tests/test_alone.py"]
    return subprocess.call([sys.executable, "-m", "pytest", *arguments, *chosen], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
