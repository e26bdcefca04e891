"""One compiled template: text in, and for each `Template.generate` bytes out.

The code is compiled once, when the template is made; to run it costs a function object and a
dict of names. Errors of the language are raised when the template is made, errors of the Python
inside it when it runs, with tracebacks whose source lines name the template and its line.
"""

import inspect
import linecache
from collections.abc import Coroutine
from contextvars import ContextVar
from types import CodeType, FunctionType
from typing import Any, Protocol

from zonda.httputil.escape import to_unicode
from zonda.web.template.codegen import Code, generate
from zonda.web.template.errors import ParseError, TemplateSyntaxError
from zonda.web.template.nodes import Tree
from zonda.web.template.parser import Parser
from zonda.web.template.runtime import NAMESPACE
from zonda.web.template.whitespace import MODES, default_mode

DEFAULT_AUTOESCAPE = "xhtml_escape"
"""The function that expressions go through unless something else is said."""

# Templates that are loaded because another one includes or extends them are only parsed, and
# compiled if ever they are asked for themselves. It also ends a circle of includes.
_compiling: ContextVar[bool] = ContextVar("_compiling", default=False)


class TemplateLoader(Protocol):
    """What a template wants of its loader."""

    autoescape: str | None
    namespace: dict[str, Any]
    whitespace: str | None

    def load(self, name: str, parent_path: str | None = None) -> "Template":
        """Return the template that the template ``parent_path`` calls ``name``."""


class _Unset:
    """The type of the default of arguments for which None means something."""


_UNSET = _Unset()


class _GeneratedSource:
    """The ``__loader__`` of a template's code, through which tracebacks find its lines."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_source(self, name: str) -> str:
        return self._text


def _assigns(code: CodeType, name: str) -> bool:
    """Whether a function, or one inside it, has a local variable of this name."""
    return name in (*code.co_varnames, *code.co_cellvars) or any(
        _assigns(each, name) for each in code.co_consts if isinstance(each, CodeType)
    )


class Template:
    """A template, compiled.

    Args:
        template_string: Its text; bytes are UTF-8.
        name: For errors, and to choose the white space mode.
        loader: Where the templates it extends and includes come from.
        compress_whitespace: Older way to say ``whitespace``: True is ``single``, False ``all``.
        autoescape: The function through which ``{{ }}`` goes, by its name in the template's
            namespace; None for no escaping. By default the loader's, or ``xhtml_escape``.
        whitespace: ``all``, ``single`` or ``oneline`` (see `filter_whitespace`). By default the
            loader's, or ``single`` for names that end in ``.html`` or ``.js``, else ``all``.

    Attributes:
        name: As given.
        text: What it was made of.
        autoescape: The function's name, after a possible ``autoescape`` tag.
        namespace: The loader's.
        loader: As given.

    Raises:
        ParseError: if the text breaks the rules of the language.
        ValueError: for an unknown white space mode, or both ways to give one.

    >>> Template("Hello, {{ name }}!").generate(name="<you>")
    b'Hello, &lt;you&gt;!'
    """

    def __init__(
        self,
        template_string: str | bytes,
        name: str = "<string>",
        loader: TemplateLoader | None = None,
        compress_whitespace: bool | _Unset = _UNSET,
        autoescape: str | _Unset | None = _UNSET,
        whitespace: str | None = None,
    ) -> None:
        self.name = name
        self.loader = loader
        self.namespace: dict[str, Any] = loader.namespace if loader else {}
        self.text = to_unicode(template_string)
        mode = self._whitespace(compress_whitespace, whitespace)
        self.tree: Tree = Parser(self.text, name, mode).tree()
        self.autoescape = self._autoescape(autoescape)
        self._compiled: CodeType | None = None
        self._waits = False
        self._filename = f"{name.replace('.', '_')}.generated.py"
        self._generated: Code | None = None
        self._globals: dict[str, Any] = {}
        if not _compiling.get():
            self._compile()

    def _whitespace(self, compress_whitespace: bool | _Unset, whitespace: str | None) -> str:
        if not isinstance(compress_whitespace, _Unset):
            if whitespace is not None:
                raise ValueError("give whitespace or compress_whitespace, not both")
            return "single" if compress_whitespace else "all"
        if whitespace is None and self.loader is not None:
            whitespace = self.loader.whitespace
        if not whitespace:
            return default_mode(self.name)
        if whitespace not in MODES:
            message = f"whitespace mode must be one of {', '.join(MODES)}, not {whitespace!r}"
            raise ValueError(message)
        return whitespace

    def _autoescape(self, given: str | _Unset | None) -> str | None:
        chosen = self.tree.autoescape
        if not isinstance(chosen, bool):
            return chosen
        if not isinstance(given, _Unset):
            return given
        return self.loader.autoescape if self.loader else DEFAULT_AUTOESCAPE

    def load(self, name: str, tag: str, line: int) -> "Template":
        """Return the template that a tag of this one names.

        Raises:
            ParseError: if there is no loader.
        """
        if self.loader is None:
            message = f"{{% {tag} %}} in a template without a loader"
            raise ParseError(message, self.name, line)
        return self.loader.load(name, parent_path=self.name)

    # Compiling

    @property
    def code(self) -> str:
        """The Python that the template has become."""
        return self._compile().text

    def _compile(self) -> Code:
        if self._generated is not None:
            return self._generated
        token = _compiling.set(True)
        try:
            code = generate(self)
            if code.waits:
                code = generate(self, waits=True)
            function = self._function(code)
            if _assigns(function, "xhtml_escape"):
                code = generate(self, waits=code.waits, early_escape=False)
                function = self._function(code)
        finally:
            _compiling.reset(token)
        if inspect.CO_GENERATOR & function.co_flags:
            raise ParseError("yield in a template", self.name, 1)
        # What the traceback of an earlier template of this name has left there.
        linecache.cache.pop(self._filename, None)
        self._globals = {
            **NAMESPACE,
            "__name__": self.name.replace(".", "_"),
            "__loader__": _GeneratedSource(code.text),
        }
        self._waits = code.waits
        self._compiled = function
        self._generated = code
        return code

    def _function(self, code: Code) -> CodeType:
        try:
            module = compile(code.text, self._filename, "exec", dont_inherit=True)
        except SyntaxError as error:
            origin = code.origin(error.lineno or 1)
            text = (error.text or "").strip()
            raise TemplateSyntaxError(error.msg, origin.name, origin.line, text) from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise TemplateSyntaxError(str(error), self.name, 1) from error
        return next(each for each in module.co_consts if isinstance(each, CodeType))

    # Running

    def generate(self, **kwargs: Any) -> bytes:
        """Return the output of the template, run with ``kwargs`` as its names.

        A template with ``await`` in it can be run this way if nothing it awaits is still to come.

        Raises:
            RuntimeError: if the template has to wait: `generate_async` is for these.
        """
        try:
            output = self._call(kwargs)
            return output if isinstance(output, bytes) else self._run_at_once(output)
        except Exception:
            # Another template of this name may have been shown in a traceback.
            linecache.cache.pop(self._filename, None)
            raise

    async def generate_async(self, **kwargs: Any) -> bytes:
        """Return the output of the template; what it awaits is waited for."""
        try:
            output = self._call(kwargs)
            return output if isinstance(output, bytes) else await output
        except Exception:
            linecache.cache.pop(self._filename, None)
            raise

    def _call(self, names: dict[str, Any]) -> bytes | Coroutine[Any, Any, bytes]:
        if self._compiled is None:
            self._compile()
        assert self._compiled is not None
        # The function is made anew around each set of names: that is all that executing its
        # module would do, at a fifth of the cost, and leaves no cycle for the garbage collector.
        namespace = {**self._globals, **self.namespace, **names}
        output: bytes | Coroutine[Any, Any, bytes] = FunctionType(self._compiled, namespace)()
        return output

    def _run_at_once(self, coroutine: Coroutine[Any, Any, bytes]) -> bytes:
        try:
            coroutine.send(None)
        except StopIteration as stop:
            output: bytes = stop.value
            return output
        finally:
            coroutine.close()
        raise RuntimeError(f"{self.name} awaits what is not there yet: use generate_async")
