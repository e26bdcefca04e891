"""The version of this package, and what the ``Server`` field says."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("zonda-web")
except PackageNotFoundError:  # run from a bare source tree
    VERSION = "0"

SERVER = f"Zonda/{VERSION}"
"""The ``Server`` field of responses."""
