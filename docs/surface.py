"""What the reference documents, and where: read from the sources, nothing is imported.

In: the folders below ``packages/*/src``. Out: `Module` objects, and for each public name the one
page that documents it. A name that is exported by several modules is documented by the first of
these in the order of `rank`: packages before what they hold, modules of Tornado's names before
those they are made of.
"""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: The packages in the order in which they are shown.
PACKAGES = ("web", "httpserver", "httpclient", "httputil", "iostream", "ioloop", "tornado")

#: Modules that an application imports from, by package; the others are what these are made of.
SURFACE = {
    "web": """web web.websocket web.template web.locale web.auth web.auth.oidc web.sse web.uploads
        web.cors web.middleware web.lifespan web.settings web.testing web.websocket.testing
        web.asgi web.jinja""",
    "httpserver": """httpserver httpserver.routing httpserver.termination httpserver.asgi
        httpserver.wsgi httpserver.accesslog httpserver.counters httpserver.errors
        httpserver.testing httpserver.http1connection""",
    "httpclient": """httpclient httpclient.websocket httpclient.errors httpclient.simple
        httpclient.curl""",
    "httputil": """httputil httputil.escape httputil.http1 httputil.websocket httputil.multipart
        httputil.multipart_encoder httputil.accept httputil.conditional httputil.ranges
        httputil.compression httputil.errors""",
    "iostream": """iostream iostream.tcpserver iostream.tcpclient iostream.netutil
        iostream.process iostream.errors iostream.testing iostream.platform.caresresolver""",
    "ioloop": """ioloop ioloop.gen ioloop.concurrent ioloop.locks ioloop.queues ioloop.options
        ioloop.log ioloop.process ioloop.supervisor ioloop.autoreload ioloop.util ioloop.testing
        ioloop.platform.asyncio""",
    "tornado": "tornado tornado.errors",
}

#: What `import tornado` gives under the drop-in: modules whose names are other modules'.
NOT_SHOWN = {"zonda.tornado.platform", "zonda.tornado.root"}


def surface(package: str) -> list[str]:
    """Dotted names of the modules of a package that an application imports from."""
    return [f"zonda.{name}" for name in SURFACE[package].split()]


def same_name(module: "Module", name: str) -> str | None:
    """Where a name is defined if a module has that name, too: ``gen.multi`` is in ``gen/multi``."""
    inner = modules().get(f"{module.name}.{name}")
    return f"{inner.name}.{name}" if inner and name in inner.defined else None


def is_public(name: str) -> bool:
    """Whether no part of a dotted name begins with an underscore."""
    return not any(part.startswith("_") for part in name.split("."))


@dataclass
class Module:
    """One public module: what it says of itself, what it defines, what it passes on."""

    name: str
    file: Path
    docstring: str
    #: Names that are defined right here, in the order of the source.
    defined: list[str] = field(default_factory=list)
    #: Name -> (module, name there), for names of ``__all__`` that come from another module.
    passed_on: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """``web`` for ``zonda.web.sse``."""
        return self.file.relative_to(ROOT).parts[1]

    @property
    def summary(self) -> str:
        """The first sentence of the docstring, on one line."""
        return " ".join(self.docstring.partition("\n\n")[0].split())

    @property
    def page(self) -> str:
        """Where its page is, in the documentation's folder."""
        return f"reference/{self.name}.md"


def definitions(body: list[ast.stmt]) -> Iterator[str]:
    """Names that statements define, those in branches for a platform or a library too."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.If | ast.Try):
            yield from definitions([*statement.body, *statement.orelse])
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id
        elif isinstance(statement, ast.Assign):
            yield from (target.id for target in statement.targets if isinstance(target, ast.Name))


def read(name: str, file: Path) -> Module:
    """One module, from its source."""
    tree = ast.parse(file.read_text())
    defined = list(dict.fromkeys(filter(is_public, definitions(tree.body))))
    module = Module(name, file, ast.get_docstring(tree) or "", defined)
    imported = {
        alias.asname or alias.name: (statement.module, alias.name)
        for statement in ast.walk(tree)
        if isinstance(statement, ast.ImportFrom) and statement.module
        for alias in statement.names
    }
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and "__all__" in definitions([statement]):
            listed = ast.literal_eval(statement.value)
            module.passed_on = {
                word: imported[word] for word in listed if word not in defined and word in imported
            }
    return module


@functools.cache
def modules() -> dict[str, Module]:
    """All public modules by dotted name."""
    found = {}
    for source in sorted(ROOT.glob("packages/*/src")):
        for file in sorted(source.rglob("*.py")):
            parts = file.relative_to(source).with_suffix("").parts
            name = ".".join(parts).removesuffix(".__init__")
            if is_public(name) and name not in NOT_SHOWN:
                found[name] = read(name, file)
    return found


def origin(module: str, name: str) -> tuple[str, str]:
    """The module that defines what another passes on, and its name there."""
    known = modules().get(module)
    while known and name in known.passed_on:
        module, name = known.passed_on[name]
        known = modules().get(module)
    return module, name


def rank(module: Module) -> tuple[bool, int, str]:
    """Sorts modules by how likely somebody imports a name from them."""
    on_surface = module.name in surface(module.package)
    return not on_surface, module.name.count("."), module.name


def without_docstring(tree: ast.Module | ast.ClassDef, path: str) -> Iterator[str]:
    """Public classes and functions that say nothing of themselves, by dotted name."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        decorators = {ast.unparse(one).rpartition(".")[2] for one in node.decorator_list}
        if not is_public(node.name) or decorators & {"overload", "setter"}:
            continue
        if not ast.get_docstring(node):
            yield f"{path}.{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from without_docstring(node, f"{path}.{node.name}")


@functools.cache
def homes() -> dict[tuple[str, str], tuple[str, str]]:
    """(defining module, name) -> (module whose page documents it, name there)."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for module in sorted(modules().values(), key=rank):
        for name, (source, first) in module.passed_on.items():
            if origin(source, first)[0].startswith(f"zonda.{module.package}"):
                found.setdefault(origin(source, first), (module.name, name))
    for module in modules().values():
        for name in module.defined:
            found.setdefault((module.name, name), (module.name, name))
    return found


def documented_by(module: Module) -> list[str]:
    """The names that the page of a module documents."""
    own = [*module.passed_on, *module.defined]
    return [name for name in own if homes().get(origin(module.name, name)) == (module.name, name)]


def anchor(module: str, name: str) -> str:
    """The dotted name under which the page of a module documents a name."""
    return same_name(modules()[module], name) or f"{module}.{name}"


def elsewhere(module: Module) -> dict[str, tuple[str, str]]:
    """Name of a module -> (module whose page documents it, dotted name there)."""
    found = {}
    for name in [*module.passed_on, *module.defined]:
        home = homes().get(origin(module.name, name))
        if home and home != (module.name, name):
            found[name] = home[0], anchor(*home)
    return found
