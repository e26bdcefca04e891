"""The environment of the peers: pinned versions, made once, kept beside the benchmarks.

It belongs to the interpreter that runs the benchmarks, so that all servers run on the same
Python. Raises PeersError with what the installer said.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE / ".cache"
REQUIREMENTS = HERE / "requirements.txt"


class PeersError(Exception):
    """The peers' environment could not be made."""


def versions() -> dict[str, str]:
    """Name -> version, as pinned."""
    lines = (line.split("#")[0].strip() for line in REQUIREMENTS.read_text().splitlines())
    pairs = (line.partition("==") for line in lines if line)
    return {name: version for name, _, version in pairs}


def interpreter() -> Path:
    """The Python of the peers' environment, which is made if it is not there."""
    fingerprint = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    folder = CACHE / f"peers-{fingerprint[:12]}"
    python = folder / "bin" / "python"
    done = folder / "complete"
    if not done.exists():
        print(f"installing the peers into {folder}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            _make(folder, python)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        done.touch()
    return python


def _make(folder: Path, python: Path) -> None:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv:
        _run(uv, "venv", "-q", "--python", sys.executable, str(folder))
        _run(uv, "pip", "install", "-q", "--python", str(python), "-r", str(REQUIREMENTS))
    else:
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(python), "-m", "pip", "install", "-q", "-r", str(REQUIREMENTS))


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise PeersError(f"{' '.join(command)} failed:\n{result.stderr.strip()}")
