"""``python3 dev bench [options]``: see README.md beside this file, or ``--help``."""

import sys
from pathlib import Path

# Run by path: the folder above makes the `benchmarks` package importable.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
