"""What the drop-in raises.

DropInError
├── OriginalImportedError     (ImportError)
├── ModuleUnavailableError    (ModuleNotFoundError)
└── ProgramNotFoundError
"""


class DropInError(Exception):
    """Anything that keeps the drop-in from doing its work."""


class OriginalImportedError(DropInError, ImportError):
    """The original Tornado was imported before the drop-in was switched on.

    Two copies of a framework in one process do not know each other's classes and loops, so the
    drop-in refuses.

    Attributes:
        modules: Names of the original's modules found in ``sys.modules``, sorted.
        location: File of the original's ``tornado`` package, None if unknown.
    """

    def __init__(self, modules: list[str], location: str | None) -> None:
        super().__init__(modules, location)
        self.modules = modules
        self.location = location

    def __str__(self) -> str:
        where = f" (from {self.location})" if self.location else ""
        shown = ", ".join(self.modules[:3]) + (", ..." if len(self.modules) > 3 else "")
        return (
            f"the original Tornado has been imported already: {shown}{where}. Switch the drop-in"
            " on before the first 'import tornado': call zonda.tornado.install() at the top of"
            " the program, start it with 'python -m zonda.tornado', or set ZONDA_TORNADO=1"
        )


class ModuleUnavailableError(DropInError, ModuleNotFoundError):
    """A module that Tornado has and this version of Zonda does not.

    Attributes:
        module: Name asked for, ``tornado.auth`` say.
        name: The Zonda module that would do its job. It is not the name asked for because
            ``from tornado import auth`` swallows an error that carries that one.
    """

    def __init__(self, module: str, target: str) -> None:
        # Bypasses ImportError's keyword-only parameters; `name` is set as it would set it.
        super().__init__(module, target)
        self.module = module
        self.name = target

    def __str__(self) -> str:
        return (
            f"no module named {self.module!r} under the drop-in:"
            f" this version of Zonda does not have it ({self.name} is missing)"
        )


class ProgramNotFoundError(DropInError):
    """``python -m zonda.tornado`` was given a file or module that it cannot run.

    Attributes:
        reason: What is wrong, in the words plain Python uses.
        status: Exit status plain Python has in this case.
    """

    def __init__(self, reason: str, *, status: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status

    def __str__(self) -> str:
        return self.reason
