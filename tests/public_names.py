"""The public names of all packages, as text: one line a name, with parameters where it takes any.

    python tests/public_names.py            prints them
    python tests/public_names.py --write    writes them to public_names.txt beside this file

A name is public if no part of it begins with an underscore. Sources are read, not imported: the
outcome depends on no interpreter, platform or optional library.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOT = Path(__file__).with_suffix(".txt")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def is_public(name: str) -> bool:
    return not name.startswith("_")


def parameters(function: Function) -> str:
    """``(self, name, /, default=, *, strip=, **kwargs)``: a default is there or not."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    first_default = len(positional) - len(given.defaults)
    words = []
    for position, argument in enumerate(positional):
        words.append(argument.arg + "=" * (position >= first_default))
        if position + 1 == len(given.posonlyargs):
            words.append("/")
    if given.vararg:
        words.append(f"*{given.vararg.arg}")
    elif given.kwonlyargs:
        words.append("*")
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        words.append(argument.arg + "=" * (default is not None))
    if given.kwarg:
        words.append(f"**{given.kwarg.arg}")
    return f"({', '.join(words)})"


def decorators(function: Function) -> set[str]:
    return {ast.unparse(decorator).rpartition(".")[2] for decorator in function.decorator_list}


def assigned(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id


def listed(body: list[ast.stmt]) -> list[str] | None:
    """What ``__all__`` says, if it is there."""
    for statement in body:
        if "__all__" in assigned(statement) and isinstance(
            value := getattr(statement, "value", None), ast.List | ast.Tuple
        ):
            return [ast.literal_eval(item) for item in value.elts]
    return None


def members(prefix: str, body: list[ast.stmt]) -> Iterator[str]:
    """Names that are defined right here, and inside of classes."""
    for statement in body:
        if isinstance(statement, ast.If | ast.Try):
            # For a platform, or an optional library.
            yield from members(prefix, statement.body)
            yield from members(prefix, statement.orelse)
        elif isinstance(statement, Function):
            if is_public(statement.name) or statement.name == "__init__":
                kinds = decorators(statement)
                if kinds & {"property", "cached_property", "setter"}:
                    yield f"{prefix}.{statement.name}"
                elif "overload" not in kinds:
                    yield f"{prefix}.{statement.name}{parameters(statement)}"
        elif isinstance(statement, ast.ClassDef):
            if is_public(statement.name):
                yield f"{prefix}.{statement.name}"
                yield from members(f"{prefix}.{statement.name}", statement.body)
        else:
            for name in assigned(statement):
                if is_public(name):
                    yield f"{prefix}.{name}"


def public_names() -> list[str]:
    """All lines, sorted."""
    lines = set()
    for source in ROOT.glob("packages/*/src"):
        for file in source.rglob("*.py"):
            parts = file.relative_to(source).with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
            if not all(map(is_public, parts)):
                continue
            module = ".".join(parts)
            body = ast.parse(file.read_text()).body
            lines.add(module)
            lines.update(members(module, body))
            defined = {line.removeprefix(f"{module}.").partition("(")[0] for line in lines}
            for name in listed(body) or ():
                if is_public(name) and name not in defined:
                    lines.add(f"{module}.{name}")
    return sorted(lines)


def main() -> None:
    text = "".join(f"{line}\n" for line in public_names())
    if "--write" in sys.argv[1:]:
        SNAPSHOT.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
