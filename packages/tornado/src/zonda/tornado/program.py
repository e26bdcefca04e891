"""Running somebody's program as plain ``python`` would run it.

`script`, `module` and `container` find a program as ``python app.py``, ``python -m name`` and
``python folder`` (or a zip file) do, and `Program.run` executes it in a fresh ``__main__`` that
stays in ``sys.modules`` to the end, exit handlers and threads included. (``runpy.run_path`` takes
its ``__main__`` away as soon as the file's last line is done.) Raises ProgramNotFoundError.
"""

import importlib.util
import io
import os
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Protocol, runtime_checkable

from zonda.tornado.errors import ProgramNotFoundError


@runtime_checkable
class _HasCode(Protocol):
    # Loaders of zip files have it too but are not registered as InspectLoader.
    def get_code(self, fullname: str) -> CodeType | None: ...


@dataclass(frozen=True)
class Program:
    """A program to run: how to get its code, and what its ``__main__`` says about itself.

    Attributes:
        code: Gives the compiled program; called inside `run`, so that a syntax error is reported
            as the program's own.
        file: ``__file__``; None if it has none.
        argv0: What becomes ``sys.argv[0]``.
        loader: ``__loader__``.
        spec: ``__spec__``, None for a script.
    """

    code: Callable[[], CodeType]
    file: str | None
    argv0: str
    loader: object
    spec: ModuleSpec | None

    def run(self, arguments: list[str]) -> None:
        """Execute it with ``sys.argv[1:]`` as given; whatever it raises comes out."""
        main = ModuleType("__main__")
        main.__dict__.update(
            __builtins__=__builtins__,
            __loader__=self.loader,
            __spec__=self.spec,
            __package__=self.spec.parent if self.spec else None,
            __cached__=self.spec.cached if self.spec else None,
        )
        if self.file is not None:
            main.__file__ = self.file
        sys.modules["__main__"] = main
        sys.argv = [self.argv0, *arguments]
        sys.excepthook = _hide_launcher
        exec(self.code(), main.__dict__)


def script(path: str) -> Program:
    """``python path``: a source file."""
    absolute = os.path.abspath(path)
    try:
        with io.open_code(absolute) as file:
            source = file.read()
    except OSError as error:
        raise ProgramNotFoundError(
            f"can't open file {absolute!r}: [Errno {error.errno}] {error.strerror}", status=2
        ) from error
    _replace_first_path(os.path.dirname(os.path.realpath(path)))
    return Program(
        lambda: compile(source, absolute, "exec", dont_inherit=True),
        absolute,
        path,
        SourceFileLoader("__main__", absolute),
        None,
    )


def container(path: str) -> Program | None:
    """``python path``: a folder or zip file with a ``__main__``; None if it is neither."""
    absolute = os.path.abspath(path)
    importer = pkgutil.get_importer(absolute)
    if importer is None:
        return None
    spec = importer.find_spec("__main__")
    if spec is None:
        raise ProgramNotFoundError(f"can't find '__main__' module in {path!r}", status=1)
    _replace_first_path(absolute)
    return _from_spec(spec, argv0=path)


def module(name: str) -> Program:
    """``python -m name``: a module, or the ``__main__`` of a package."""
    spec = _find(name)
    if spec.submodule_search_locations is not None:
        try:
            spec = _find(f"{name}.__main__")
        except ProgramNotFoundError as error:
            raise ProgramNotFoundError(
                f"{error}; {name!r} is a package and cannot be directly executed", status=1
            ) from error
    return _from_spec(spec, argv0=spec.origin or "-m")


def _find(name: str) -> ModuleSpec:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError) as error:
        raise ProgramNotFoundError(
            f"Error while finding module specification for {name!r}"
            f" ({type(error).__name__}: {error})",
            status=1,
        ) from error
    if spec is None:
        raise ProgramNotFoundError(f"No module named {name}", status=1)
    return spec


def _from_spec(spec: ModuleSpec, argv0: str) -> Program:
    loader: object = spec.loader
    if not isinstance(loader, _HasCode):
        raise ProgramNotFoundError(f"{spec.name!r} has no code to run", status=1)

    def code() -> CodeType:
        found = loader.get_code(spec.name)
        if found is None:
            raise ImportError(f"No code object available for {spec.name}", name=spec.name)
        return found

    return Program(code, spec.origin, argv0, loader, spec)


def _replace_first_path(entry: str) -> None:
    """What ``python -m`` put first (the working folder) gives way to the program's own place."""
    if not sys.flags.safe_path:
        sys.path[0] = entry


def _hide_launcher(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Show an uncaught exception as plain Python shows it: from the program's first frame on."""
    entry = traceback
    while entry is not None and entry.tb_frame.f_code is not Program.run.__code__:
        entry = entry.tb_next
    if entry is not None:
        # `run` itself, and what it calls to compile the program.
        while entry is not None and entry.tb_frame.f_code.co_filename == __file__:
            entry = entry.tb_next
        error.__traceback__ = traceback = entry
    sys.__excepthook__(kind, error, traceback)
