"""``python -m zonda.ioloop.autoreload``: runs a program, and again once its files have changed.

In: the command line. Out: the program's output. With ``--until-success`` the exit status 0 once
the program succeeded; else it runs until it is interrupted.
"""

import importlib.util
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Sequence
from typing import Final

from zonda.ioloop.autoreload.watching import note_present_state, wait, watch
from zonda.ioloop.log import gen_log

_USAGE: Final = """\
usage: python -m zonda.ioloop.autoreload [--until-success] -m module [arguments]
       python -m zonda.ioloop.autoreload [--until-success] path/to/program.py [arguments]

Runs the program. When it has ended, waits until one of its files changes, and runs it again. A
program that goes on running (a server) is restarted if it calls autoreload.start() itself, which
web applications do that have debug=True.

  --until-success   leave with status 0 once the program ends without an error
"""


def _parse(arguments: Sequence[str]) -> tuple[bool, str | None, str | None, list[str]]:
    """Whether until success, module or path, and the program's own arguments."""
    rest = list(arguments)
    until_success = False
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--until-success":
            until_success = True
        elif option == "-m" and rest:
            return until_success, rest[0], None, rest[1:]
        elif option in ("-h", "--help"):
            print(_USAGE)  # noqa: T201
            sys.exit(0)
        elif option == "--":
            break
        else:
            what = "-m needs the name of a module" if option == "-m" else f"no option {option}"
            sys.exit(f"{what}\n{_USAGE}")
    if not rest:
        sys.exit(f"either -m or a path must be given\n{_USAGE}")
    return until_success, None, rest[0], rest[1:]


def _run_module(name: str, arguments: list[str]) -> None:
    sys.argv = [name, *arguments]
    # What does not even compile has no module whose file could be watched.
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(f"{name}.__main__")
    if spec is not None and spec.origin is not None and os.path.exists(spec.origin):
        watch(spec.origin)
        note_present_state()
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _run_path(path: str, arguments: list[str]) -> None:
    sys.argv = [path, *arguments]
    watch(os.path.abspath(path))
    note_present_state()
    # As Python does for a program; it was the current folder for -m.
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    runpy.run_path(path, run_name="__main__")


def _watch_what_failed(error: BaseException) -> None:
    """Watch the files that an error has to do with: not all of them became modules."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, SyntaxError) and link.filename:
            watch(link.filename)
        for frame in traceback.extract_tb(link.__traceback__):
            if os.path.exists(frame.filename):
                watch(frame.filename)
        link = link.__cause__ or link.__context__


def _say(text: str, error: Exception | None = None) -> None:
    """Log how the program ended; by way of its own logging if it has set it up."""
    # First: whoever reads that something is wrong may mend it before we are at wait().
    note_present_state()
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
    if error is None:
        gen_log.info(text)
    else:
        gen_log.error(text, exc_info=error)


def main() -> None:
    """Run the program that the command line names, and again after each change.

    Raises:
        SystemExit: the command line is wrong, or ``--until-success`` and it did.
        KeyboardInterrupt: by the person at the keyboard.

    Example::

        python -m zonda.ioloop.autoreload --until-success -m package.tests
    """
    until_success, module, path, arguments = _parse(sys.argv[1:])
    succeeded = False
    try:
        if module is not None:
            _run_module(module, arguments)
        elif path is not None:
            _run_path(path, arguments)
    except SystemExit as exit:
        succeeded = exit.code is None or exit.code == 0
        if isinstance(exit.code, str):
            print(exit.code, file=sys.stderr)  # noqa: T201
        _say(f"the program exited with status {exit.code or 0}")
    except Exception as error:
        _watch_what_failed(error)
        _say("the program ended with an error", error)
    else:
        succeeded = True
        _say("the program ended normally")
    if until_success and succeeded:
        return
    try:
        wait()
    except KeyboardInterrupt:
        sys.exit(130)
