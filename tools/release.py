"""Release one package: ``python3 dev release PACKAGE minor|patch|major|first``.

In: a package, and how its version grows (``first``: the version it has, which was never released).
Out: one commit with the new version, its changelog and the bounds that follow; an annotated tag
``<distribution>-vX.Y.Z``; wheel and sdist in ``dist/release/``, checked. Nothing is published: the
last lines say how. Whatever is in the way is one sentence and exit code 1, and nothing is changed.

Bounds: a package that works with its siblings in this tree goes on doing so. Where its ceiling
excludes the new version the ceiling is raised, which its next changelog says. The meta-package
always asks for the new version at least. Started by ``dev`` with .venv's Python.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
META = "zonda"
KINDS = ("major", "minor", "patch", "first")

Version = tuple[int, int, int]


def fail(sentence: str) -> NoReturn:
    """End with one sentence for the person at the keyboard."""
    sys.exit(f"dev: {sentence}")


def run(*command: "str | Path", cwd: Path = ROOT) -> str:
    """Run a command; its standard output. One that fails ends the release with its words."""
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise ReleaseFailed(f"{Path(str(command[0])).name} failed (see above)")
    return done.stdout


class ReleaseFailed(Exception):
    """Something went wrong after files were changed: they are put back."""


# -- versions and bounds: text in, text out ------------------------------------------------------


def parse(version: str) -> Version:
    """The three numbers of a version.

    >>> parse("0.12.3")
    (0, 12, 3)
    """
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version)
    if match is None:
        fail(f"{version!r} is not a version of three numbers.")
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


def grown(version: str, kind: str) -> str:
    """The version after ``version``.

    >>> grown("0.1.3", "minor"), grown("0.1.3", "patch"), grown("0.1.3", "major")
    ('0.2.0', '0.1.4', '1.0.0')
    """
    major, minor, patch = parse(version)
    if kind == "major":
        return f"{major + 1}.0.0"
    if kind == "minor":
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}" if kind == "patch" else version


def next_breaking(version: str) -> str:
    """The version before which nothing breaks; while versions start with 0, minor ones may.

    >>> next_breaking("0.1.3"), next_breaking("2.1.0")
    ('0.2', '3')
    """
    major, minor, _ = parse(version)
    return str(major + 1) if major else f"0.{minor + 1}"


def excludes(ceiling: str, version: str) -> bool:
    """Whether ``<ceiling`` keeps ``version`` out.

    >>> excludes("0.2", "0.2.0"), excludes("0.2", "0.1.9")
    (True, False)
    """
    numbers = tuple(int(part) for part in ceiling.split("."))
    return parse(version)[: len(numbers)] >= numbers


def follow(manifest: str, distribution: str, version: str, *, floor: bool) -> str:
    """A pyproject.toml whose bounds on ``distribution`` let ``version`` in.

    Args:
        manifest: Its text.
        distribution: The one that is released.
        version: Its new version.
        floor: Ask for that version at least.

    >>> follow('"zonda-web[auth]>=0.1.0,<0.2"', "zonda-web", "0.2.0", floor=False)
    '"zonda-web[auth]>=0.1.0,<0.3"'
    >>> follow('"zonda-web>=0.1.0,<0.2"', "zonda-web", "0.1.1", floor=True)
    '"zonda-web>=0.1.1,<0.2"'
    """

    def bounds(match: re.Match[str]) -> str:
        name, least, ceiling = match.groups()
        if excludes(ceiling, version):
            ceiling = next_breaking(version)
        return f'"{name}>={version if floor else least},<{ceiling}'

    name = rf"{re.escape(distribution)}(?:\[[\w,-]+\])?"
    return re.sub(rf'"({name})>=([\d.]+),<([\d.]+)', bounds, manifest)


# -- the release ---------------------------------------------------------------------------------


def check_archives(folder: Path, distribution: str, version: str, files: "list[Path]") -> None:
    """What is about to be published: the right names, the whole package and nothing else."""
    stem = f"{distribution.replace('-', '_')}-{version}"
    names = {f"{stem}-py3-none-any.whl", f"{stem}.tar.gz"}
    if {file.name for file in files} != names:
        raise ReleaseFailed(f"built {sorted(file.name for file in files)}, expected {names}")
    source = folder / "src"
    wanted = {
        str(file.relative_to(source))
        for file in (source / "zonda").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    for file in files:
        if file.suffix == ".whl":
            with zipfile.ZipFile(file) as wheel:
                held = set(wheel.namelist())
            strays = {name for name in held - wanted if not name.startswith(f"{stem}.dist-info/")}
            # The drop-in's environment switch is the one file at the root of site-packages.
            strays = {name for name in strays if not name.endswith(".pth")}
            if strays:
                raise ReleaseFailed(f"{file.name} holds {sorted(strays)}")
            licence = f"{stem}.dist-info/licenses/LICENSE"
        else:
            with tarfile.open(file) as archive:
                held = {name.removeprefix(f"{stem}/") for name in archive.getnames()}
            held = {name.removeprefix("src/") for name in held}
            licence = "LICENSE"
        missing = (wanted | {licence}) - held
        if missing:
            raise ReleaseFailed(f"{file.name} lacks {sorted(missing)}")


def build(folder: Path, distribution: str, version: str, dist: Path) -> "list[Path]":
    """Build and check wheel and sdist."""
    shutil.rmtree(dist, ignore_errors=True)
    uv = Path(sys.executable).with_name("uv")
    run(uv, "build", "--quiet", "--out-dir", dist, folder)
    files = sorted(file for file in dist.iterdir() if file.suffix in (".whl", ".gz"))
    check_archives(folder, distribution, version, files)
    run(uv, "tool", "run", "--quiet", "twine>=6", "check", "--strict", *files)
    return files


def change_files(folder: Path, distribution: str, version: str) -> None:
    """Version, bounds and changelog."""
    manifest = folder / "pyproject.toml"
    text = manifest.read_text()
    manifest.write_text(
        re.sub(r'^version = "[\d.]+"$', f'version = "{version}"', text, count=1, flags=re.MULTILINE)
    )
    for other in sorted((ROOT / "packages").glob("*/pyproject.toml")):
        text = other.read_text()
        after = follow(text, distribution, version, floor=other.parent.name == META)
        if after == text:
            continue
        other.write_text(after)
        if other != manifest:
            news = other.parent / "news" / f"{distribution}-{version.replace('.', '-')}.changed.md"
            news.write_text(f"Works with {distribution} {version}.\n")
    towncrier = Path(sys.executable).with_name("towncrier")
    run(towncrier, "build", "--yes", "--version", version, cwd=folder)


def main() -> int:
    """Release what the command line names."""
    parser = argparse.ArgumentParser(prog="dev release", description="Release one package.")
    parser.add_argument("package", help="a folder below packages/, or its distribution's name")
    parser.add_argument("kind", choices=KINDS, help="how the version grows; first: not at all")
    arguments = parser.parse_args()

    folder = ROOT / "packages" / arguments.package.removeprefix("zonda-")
    if not (folder / "pyproject.toml").is_file():
        names = sorted(file.parent.name for file in ROOT.glob("packages/*/pyproject.toml"))
        fail(f"there is no package {arguments.package!r}; there are {', '.join(names)}.")
    if run("git", "status", "--porcelain"):
        fail("there are changes that are not committed; a release is a commit of its own.")
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    distribution, current = project["name"], project["version"]
    version = grown(current, arguments.kind)
    tag = f"{distribution}-v{version}"
    tags = run("git", "tag", "--list", f"{distribution}-v*").split()
    if tag in tags:
        fail(f"{tag} is released already.")
    if arguments.kind != "first" and f"{distribution}-v{current}" not in tags:
        fail(f"{distribution} {current} was never released: dev release {folder.name} first.")
    if not list(folder.glob("news/[!.]*.md")):
        fail(f"{folder.relative_to(ROOT)}/news is empty: say what users will notice.")

    try:
        change_files(folder, distribution, version)
        files = build(folder, distribution, version, ROOT / "dist" / "release")
        run("git", "add", "--all", "packages")
        run("git", "commit", "--quiet", "-m", f"Release {distribution} {version}")
    except ReleaseFailed as error:
        # The tree was clean: what is there now was made here.
        run("git", "reset", "--quiet", "--hard")
        run("git", "clean", "--quiet", "--force", "--", "packages")
        fail(f"{error}; nothing was changed.")
    run("git", "tag", "--annotate", tag, "-m", f"{distribution} {version}")
    paths = " ".join(str(file.relative_to(ROOT)) for file in files)
    print(f"{tag} is committed, tagged, built and checked. To publish it:")
    print(f"  git push --follow-tags\n  .venv/bin/uv publish {paths}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ReleaseFailed as error:  # before anything was changed
        fail(f"{error}.")
