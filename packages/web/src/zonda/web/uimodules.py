"""UI modules: pieces of a page that bring the styles and scripts they need.

A module is made once for each name a page uses, renders as often as it is used, and is then asked
once what the page's head and end need on its behalf. `ModuleNamespace` is how a template reaches
modules; `load_modules` and `load_methods` read the settings ``ui_modules`` and ``ui_methods``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from zonda.httputil.escape import linkify
from zonda.ioloop.util import ObjectDict

if TYPE_CHECKING:
    from zonda.httputil import HTTPServerRequest
    from zonda.web.handler import RequestHandler

UIMethod = Callable[..., Any]
Source = ModuleType | Mapping[str, Any]
Setting = Source | Sequence[Source]
"""A Python module, a dictionary by names, or a list of these."""


class UIModule:
    """A piece of a page: make a subclass and define ``render``.

    In a template: ``{% module Name(arguments) %}``.

    Args:
        handler: The handler that renders the page.

    Attributes:
        handler: The handler that renders the page.
        request: Its request.
        ui: The page's ``ui`` namespace.
        locale: The user's locale.
    """

    def __init__(self, handler: RequestHandler) -> None:
        self.handler = handler
        self.request: HTTPServerRequest = handler.request
        self.ui = handler.ui
        self.locale = handler.locale

    @property
    def current_user(self) -> Any:
        """The handler's user."""
        return self.handler.current_user

    def _render(self, *args: Any, **kwargs: Any) -> str | bytes:
        raise NotImplementedError(f"{type(self).__name__} must override render()")

    render: Callable[..., str | bytes] = _render
    """Returns the markup of one use; called with the arguments that the template gives."""

    def embedded_javascript(self) -> str | None:
        """Return a script to be embedded in the page, if one is needed: a hook."""
        return None

    def javascript_files(self) -> Iterable[str] | None:
        """Return the path of a script, or several, as for ``static_url``: a hook."""
        return None

    def embedded_css(self) -> str | None:
        """Return styles to be embedded in the page: a hook."""
        return None

    def css_files(self) -> Iterable[str] | None:
        """Return the path of a style sheet, or several: a hook."""
        return None

    def html_head(self) -> str | None:
        """Return markup for the end of the page's head: a hook."""
        return None

    def html_body(self) -> str | None:
        """Return markup for the end of the page's body: a hook."""
        return None

    def render_string(self, path: str, **kwargs: Any) -> bytes:
        """Render a template of the application."""
        return self.handler.render_string(path, **kwargs)


class Linkify(UIModule):
    """``linkify``: text with its URLs made links (see `zonda.httputil.escape.linkify`)."""

    def render(self, text: str | bytes, **kwargs: Any) -> str:
        """Return the text as HTML."""
        return linkify(text, **kwargs)


class XsrfFormHtml(UIModule):
    """``xsrf_form_html``: the hidden input of `RequestHandler.xsrf_form_html`."""

    def render(self) -> str:
        """Return the input."""
        return self.handler.xsrf_form_html()


class TemplateModule(UIModule):
    """``Template``: a template as a module: ``{% module Template("path.html", argument=1) %}``.

    The template says what it needs by ``{{ set_resources(css_files="a.css") }}``, whose arguments
    are named as the hooks of `UIModule`. Each template used this way must name the same in all its
    uses.
    """

    def __init__(self, handler: RequestHandler) -> None:
        super().__init__(handler)
        # By path, in the order of first use.
        self._resources: dict[str, dict[str, Any]] = {}

    def render(self, path: str, **kwargs: Any) -> bytes:
        """Render the template.

        Raises:
            ValueError: ``set_resources`` is called with other values than the last time.
        """

        def set_resources(**resources: Any) -> str:
            known = self._resources.setdefault(path, resources)
            if known != resources:
                raise ValueError(f"set_resources called with different resources in {path}")
            return ""

        return self.render_string(path, set_resources=set_resources, **kwargs)

    def _all(self, name: str) -> list[Any]:
        return [given[name] for given in self._resources.values() if given.get(name)]

    def _all_files(self, name: str) -> list[str]:
        files: list[str] = []
        for value in self._all(name):
            files.extend([value] if isinstance(value, str) else value)
        return files

    def embedded_javascript(self) -> str:
        """What the templates have set."""
        return "\n".join(self._all("embedded_javascript"))

    def javascript_files(self) -> list[str]:
        """What the templates have set."""
        return self._all_files("javascript_files")

    def embedded_css(self) -> str:
        """What the templates have set."""
        return "\n".join(self._all("embedded_css"))

    def css_files(self) -> list[str]:
        """What the templates have set."""
        return self._all_files("css_files")

    def html_head(self) -> str:
        """What the templates have set."""
        return "".join(self._all("html_head"))

    def html_body(self) -> str:
        """What the templates have set."""
        return "".join(self._all("html_body"))


BUILT_IN: Mapping[str, type[UIModule]] = {
    "linkify": Linkify,
    "xsrf_form_html": XsrfFormHtml,
    "Template": TemplateModule,
}
"""The modules of every application."""


class ModuleNamespace:
    """``modules`` in a template: ``modules.Name(arguments)`` renders the module called ``Name``.

    Args:
        handler: The handler that renders the page.
        modules: The application's modules.
    """

    __slots__ = ("_handler", "_modules")

    def __init__(self, handler: RequestHandler, modules: Mapping[str, type[UIModule]]) -> None:
        self._handler = handler
        self._modules = modules

    def __getitem__(self, name: str) -> Callable[..., str | bytes]:
        active = self._handler._active_modules
        if active is None:
            active = self._handler._active_modules = {}
        module = active.get(name)
        if module is None:
            module = active[name] = self._modules[name](self._handler)
        return module.render

    def __getattr__(self, name: str) -> Callable[..., str | bytes]:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no UI module {name!r}") from None


def ui_namespace(
    handler: RequestHandler,
    modules: Mapping[str, type[UIModule]],
    methods: Mapping[str, UIMethod],
) -> ObjectDict:
    """Return ``ui``: the methods by name, bound to the handler, and ``modules``."""
    namespace = ObjectDict()
    for name, method in methods.items():
        namespace[name] = partial(method, handler)
    # The second name is what compiled templates use.
    namespace["modules"] = namespace["_tt_modules"] = ModuleNamespace(handler, modules)
    return namespace


def load_modules(setting: Setting) -> dict[str, type[UIModule]]:
    """Return the UI modules of a setting: the subclasses of `UIModule` in it, by their names."""
    return {
        name: value
        for name, value in _members(setting)
        if isinstance(value, type) and issubclass(value, UIModule)
    }


def load_methods(setting: Setting) -> dict[str, UIMethod]:
    """Return the UI methods of a setting: its functions whose names begin in lower case."""
    return {
        name: value
        for name, value in _members(setting)
        if callable(value) and not name.startswith("_") and name[:1].lower() == name[:1]
    }


def _members(setting: Setting) -> Iterable[tuple[str, Any]]:
    if isinstance(setting, ModuleType):
        yield from vars(setting).items()
    elif isinstance(setting, Mapping):
        yield from setting.items()
    else:
        for part in setting:
            yield from _members(part)
