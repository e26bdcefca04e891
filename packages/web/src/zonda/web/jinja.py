"""Jinja templates behind the interface of `zonda.web.template`'s loaders.

    Application(handlers, template_loader=JinjaLoader("templates"))

Handlers then ``render`` Jinja templates, with the names that any template gets: ``handler``,
``request``, ``static_url``, ``modules``... Needs jinja2: the extra ``zonda-web[jinja2]``.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
from jinja2.filters import do_mark_safe

from zonda.httputil.escape import json_encode, linkify, squeeze, url_escape

#: Names of a handler's namespace whose value is a function that makes HTML.
_MAKES_HTML = ("xsrf_form_html",)
#: Names whose attributes are such functions.
_HOLDS_MAKERS = ("modules", "_tt_modules")

#: What Tornado's templates find defined and Jinja's do not.
_NAMESPACE: dict[str, Any] = {
    "json_encode": json_encode,
    "squeeze": squeeze,
    "url_escape": url_escape,
    "linkify": lambda *args, **kwargs: do_mark_safe(linkify(*args, **kwargs)),
}


class JinjaLoader:
    """Loads Jinja templates for handlers.

    Args:
        source: A directory, a Jinja loader, or a whole environment. For the former two an
            environment is made that escapes in all templates.
        namespace: Names for all templates.
        **options: For the environment that is made: ``trim_blocks=True``, ``extensions=[...]``,
            ``enable_async=True``...

    Attributes:
        environment: The environment.

    Raises:
        TypeError: for options together with an environment.

    >>> loader = JinjaLoader(jinja2.DictLoader({"hi.html": "Hi {{ name }}!"}))
    >>> loader.load("hi.html").generate(name="<you>")
    b'Hi &lt;you&gt;!'
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | jinja2.BaseLoader | jinja2.Environment,
        namespace: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        if isinstance(source, jinja2.Environment):
            if options:
                raise TypeError(f"options for an environment that is there: {sorted(options)}")
            self.environment = source
        else:
            if not isinstance(source, jinja2.BaseLoader):
                source = jinja2.FileSystemLoader(source)
            self.environment = jinja2.Environment(loader=source, **{"autoescape": True, **options})
        for name, value in _NAMESPACE.items():
            self.environment.globals.setdefault(name, value)
        self.environment.globals.update(namespace or {})

    def load(self, name: str, parent_path: str | None = None) -> "JinjaTemplate":
        """Return a template.

        Args:
            name: As the environment's loader knows it.
            parent_path: The template that names it; the environment may resolve the name by it.

        Raises:
            jinja2.TemplateNotFound: if there is none.
            jinja2.TemplateSyntaxError: if it breaks the rules of its language.
        """
        return JinjaTemplate(self.environment.get_template(name, parent=parent_path))

    def reset(self) -> None:
        """Forget all templates: each is made again from its source when it is next asked for."""
        if self.environment.cache is not None:
            self.environment.cache.clear()


class JinjaTemplate:
    """A Jinja template with the methods of `zonda.web.template.Template`.

    Args:
        template: What Jinja made.

    Attributes:
        name: Its name.
    """

    def __init__(self, template: jinja2.Template) -> None:
        self._template = template
        self.name = template.name

    def generate(self, **kwargs: Any) -> bytes:
        """Return the output of the template, run with ``kwargs`` as its names."""
        return self._template.render(_marked(kwargs)).encode()

    async def generate_async(self, **kwargs: Any) -> bytes:
        """Return the output; in an environment with ``enable_async`` the template may wait."""
        if not self._template.environment.is_async:
            return self.generate(**kwargs)
        return (await self._template.render_async(_marked(kwargs))).encode()


def _marked(names: dict[str, Any]) -> dict[str, Any]:
    """Return a namespace in which what makes HTML says so, or Jinja would escape it."""
    for name in _MAKES_HTML:
        if name in names:
            names[name] = _maker(names[name])
    for name in _HOLDS_MAKERS:
        if name in names:
            names[name] = _Makers(names[name])
    return names


def _maker(function: Callable[..., str | bytes]) -> Callable[..., str]:
    def make(*args: Any, **kwargs: Any) -> str:
        html = function(*args, **kwargs)
        return do_mark_safe(html.decode() if isinstance(html, bytes) else html)

    return make


class _Makers:
    """UI modules, each of which makes HTML."""

    def __init__(self, modules: Any) -> None:
        self._modules = modules

    def __getattr__(self, name: str) -> Callable[..., str]:
        return _maker(getattr(self._modules, name))

    def __getitem__(self, name: str) -> Callable[..., str]:
        return _maker(self._modules[name])
