"""Names to objects, source to names."""

import importlib
import sys
from types import CodeType
from typing import Any

is_finalizing = sys.is_finalizing


def import_object(name: str) -> Any:
    """Import the module, or the attribute of a module, that a dotted name stands for.

    Any: the object may be of any type; that is the point.

    Raises:
        ImportError: no such module, or no such attribute in it.
        ValueError: the name is empty or begins with a dot.

    Example:
        >>> import_object("os.path.sep")
        '/'
        >>> import_object("json").__name__
        'json'
        >>> import_object("json.missing")
        Traceback (most recent call last):
        ImportError: module 'json' has no attribute 'missing'
    """
    module_name, dot, attribute = name.rpartition(".")
    if not dot:
        return importlib.import_module(name)
    module = importlib.import_module(module_name)
    try:
        return getattr(module, attribute)
    except AttributeError:
        pass
    # A submodule that nothing has imported yet is not an attribute of its package.
    if hasattr(module, "__path__"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
    raise ImportError(f"module {module_name!r} has no attribute {attribute!r}", name=name)


def exec_in(code: str | CodeType, glob: dict[str, Any], loc: dict[str, Any] | None = None) -> None:
    """Execute ``code`` in the given namespaces, free of this module's ``__future__`` imports.

    Example:
        >>> namespace = {}
        >>> exec_in("answer = 6 * 7", namespace)
        >>> namespace["answer"]
        42
    """
    if isinstance(code, str):
        code = compile(code, "<string>", "exec", dont_inherit=True)
    exec(code, glob, loc)
