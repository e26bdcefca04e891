"""The environment variable that switches the drop-in on, and what Python's start-up does with it.

``zonda_tornado.pth``, beside this package in site-packages, calls `start` in a process that has
the variable set; otherwise it imports nothing.
"""

import os
import sys

from zonda.tornado.errors import DropInError
from zonda.tornado.switch import install

#: On when set to anything but the empty string and "0".
VARIABLE = "ZONDA_TORNADO"


def follow() -> None:
    """Let processes started from here have the drop-in too."""
    os.environ[VARIABLE] = "1"


def start() -> None:
    """Switch on at interpreter start; a refusal is one line on standard error, not a crash."""
    try:
        install()
    except DropInError as error:
        print(f"zonda-tornado: {VARIABLE} has no effect: {error}", file=sys.stderr)  # noqa: T201
