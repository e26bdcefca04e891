"""A test program: unittest's, with the options of `zonda.ioloop.options`.

In: the command line. Out: unittest's report and exit status.
"""

import signal
import sys
import unittest
from typing import Any

from zonda.ioloop.options import options

_GROUP = "testing"


def main(**kwargs: Any) -> None:
    """Run tests as ``unittest.main`` does, with the options of the program beside unittest's own.

    ``python -m zonda.ioloop.testing package.module`` needs nothing in the module itself. A module
    that ends in ``main()`` runs its own tests, or the suite that its function ``all`` returns;
    dotted names on the command line take their place.

    Options that were defined with `zonda.ioloop.options.define` are parsed; logging is set up.

    Args:
        **kwargs: for ``unittest.main``, such as ``verbosity=2`` or ``exit=False``.

    Raises:
        SystemExit: at the end, unless ``exit=False``.

    Example::

        if __name__ == "__main__":
            zonda.ioloop.testing.main()
    """
    _define_options()
    ours: list[str] = []
    others: list[str] = []
    for argument in sys.argv[1:]:
        name = argument.lstrip("-").partition("=")[0]
        ours_too = argument.startswith("-") and name in options
        (ours if ours_too else others).append(argument)
    options.parse_command_line([sys.argv[0], *ours])
    if not options.exception_on_interrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if options.verbose:
        kwargs["verbosity"] = 2
    if options.quiet:
        kwargs["verbosity"] = 0
    for name in ("failfast", "buffer"):
        if options[name]:
            kwargs[name] = True
    if options.catch:
        kwargs["catchbreak"] = True
    names = [argument for argument in others if not argument.startswith("-")]
    program = sys.modules["__main__"]
    spec = getattr(program, "__spec__", None)
    if names:
        # Of the program's own classes, or absolute.
        if not hasattr(program, names[0].partition(".")[0]):
            kwargs.setdefault("module", None)
    elif spec is not None and spec.name == f"{__package__}.__main__":
        print("No tests specified: name a module, a class or a method", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    elif hasattr(program, "all"):
        kwargs.setdefault("defaultTest", "all")
    unittest.main(argv=[sys.argv[0], *others], **kwargs)


def _define_options() -> None:
    if "exception_on_interrupt" in options:
        return
    options.define(
        "exception_on_interrupt",
        type=bool,
        default=True,
        help="let Ctrl-C raise KeyboardInterrupt, with a traceback of what hangs; false ends the"
        " process at once",
        group=_GROUP,
    )
    for name, text in (
        ("verbose", "name each test"),
        ("quiet", "say nothing of tests that pass"),
        ("failfast", "stop at the first failure"),
        ("catch", "let Ctrl-C end the run after the present test"),
        ("buffer", "hide what tests write unless they fail"),
    ):
        if name not in options:
            options.define(name, type=bool, default=False, help=text, group=_GROUP)
