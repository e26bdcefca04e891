"""The HTTP client that tests use: zonda-httpclient, which the web layer does without otherwise.

Out: its module or one of its classes. Raises ImportError, with what to install, where it is not
there.
"""

import importlib
from typing import Any


def httpclient(module: str = "zonda.httpclient") -> Any:
    """Return a module of zonda-httpclient.

    Args:
        module: Its name.

    Raises:
        ImportError: The package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("zonda.httpclient"):
            raise
        raise ImportError(
            "tests that fetch need zonda-httpclient: pip install 'zonda-web[testing]'",
            name=error.name,
        ) from error
