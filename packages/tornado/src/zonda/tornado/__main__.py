"""``python -m zonda.tornado app.py [args]`` or ``python -m zonda.tornado -m package [args]``."""

import sys

from zonda.tornado import environment, program
from zonda.tornado.errors import DropInError, ProgramNotFoundError
from zonda.tornado.names import VERSION
from zonda.tornado.switch import install

USAGE = f"""\
usage: python -m zonda.tornado FILE [argument ...]
       python -m zonda.tornado -m MODULE [argument ...]

Runs a program written for Tornado on Zonda, which answers for Tornado {VERSION}. FILE is a
Python source file, or a folder or zip file with a __main__.py. Everything after it belongs to
the program. Python processes that the program starts run on Zonda too.
"""


def main(arguments: list[str]) -> None:
    """Run the program that the command line names; exits as that program does."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="", file=sys.stdout if arguments else sys.stderr)
        sys.exit(0 if arguments else 2)
    as_module = arguments[0] == "-m"
    if as_module:
        del arguments[0]
    if not arguments or arguments[0].startswith("-"):
        sys.exit(f"python -m zonda.tornado: expected the program to run\n\n{USAGE}")
    name, *rest = arguments
    try:
        install()
        environment.follow()
        if as_module:
            found = program.module(name)
        else:
            found = program.container(name) or program.script(name)
    except ProgramNotFoundError as error:
        print(f"python -m zonda.tornado: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.status)
    except DropInError as error:
        sys.exit(f"python -m zonda.tornado: {error}")
    found.run(rest)


if __name__ == "__main__":
    main(sys.argv[1:])
