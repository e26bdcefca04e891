"""Names in, compiled templates out, each made once and kept until `BaseLoader.reset`.

Loaders may be used from several threads. What cannot be found raises what looking for it raised:
``OSError`` for files, ``KeyError`` for dicts.
"""

import os.path
import posixpath
import threading
from collections.abc import Mapping
from typing import Any

from zonda.web.template.template import DEFAULT_AUTOESCAPE, Template


class BaseLoader:
    """What loaders have in common; a kind of loader defines how names become templates.

    A subclass defines `resolve_path` and ``_create_template(name)``.

    Args:
        autoescape: The function through which ``{{ }}`` goes in the templates of this loader, by
            name; None for no escaping.
        namespace: Names for all of them.
        whitespace: The white space mode for all of them; by default each template's name decides.

    Attributes:
        templates: What has been made, by resolved name.
    """

    def __init__(
        self,
        autoescape: str | None = DEFAULT_AUTOESCAPE,
        namespace: dict[str, Any] | None = None,
        whitespace: str | None = None,
    ) -> None:
        self.autoescape = autoescape
        self.namespace: dict[str, Any] = namespace or {}
        self.whitespace = whitespace
        self.templates: dict[str, Template] = {}
        # A template that is made loads others, in the same thread.
        self.lock = threading.RLock()

    def reset(self) -> None:
        """Forget all templates: each is made again from its source when it is next asked for."""
        with self.lock:
            self.templates = {}

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """Return the full name of the template that ``parent_path`` calls ``name``."""
        raise NotImplementedError

    def load(self, name: str, parent_path: str | None = None) -> Template:
        """Return a template.

        Args:
            name: As a handler or a tag has it.
            parent_path: The full name of the template with the tag.

        Raises:
            ParseError: if it breaks the rules of the language.
        """
        name = self.resolve_path(name, parent_path=parent_path)
        template = self.templates.get(name)
        if template is not None:
            return template
        with self.lock:
            template = self.templates.get(name)
            if template is None:
                template = self.templates[name] = self._create_template(name)
            return template

    def _create_template(self, name: str) -> Template:
        raise NotImplementedError


def _is_relative(name: str, parent_path: str) -> bool:
    """Whether ``name`` is to be seen from the place of the template ``parent_path``."""
    return not name.startswith("/") and not parent_path.startswith(("<", "/"))


class Loader(BaseLoader):
    """Loads templates from the files of a directory.

    A name in a tag is relative to the directory of the template with the tag. Names are the
    application's own and are trusted: ``..`` and absolute paths reach files elsewhere.

    Args:
        root_directory: Where names begin.
        **kwargs: As for `BaseLoader`.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "hi.txt").write_text("Hi {{ name }}")
    ...     Loader(folder).load("hi.txt").generate(name="you")
    b'Hi you'
    """

    def __init__(self, root_directory: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.root = os.path.abspath(root_directory)

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """Return the name as seen from the root; unchanged if that would lead out of it."""
        if parent_path and _is_relative(name, parent_path):
            folder = os.path.dirname(os.path.join(self.root, parent_path))
            path = os.path.abspath(os.path.join(folder, name))
            if path.startswith(os.path.join(self.root, "")):
                return os.path.relpath(path, self.root)
        return name

    def _create_template(self, name: str) -> Template:
        with open(os.path.join(self.root, name), "rb") as file:
            return Template(file.read(), name=name, loader=self)


class DictLoader(BaseLoader):
    """Loads templates from a dict of their texts by name.

    Args:
        dict: The texts.
        **kwargs: As for `BaseLoader`.

    >>> loader = DictLoader({"a": "<{% block x %}{% end %}>",
    ...                      "b": "{% extends a %}{% block x %}b{% end %}"})
    >>> loader.load("b").generate()
    b'<b>'
    """

    def __init__(self, dict: Mapping[str, str | bytes], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dict = dict

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """Return the name as seen from the top of the dict."""
        if parent_path and _is_relative(name, parent_path):
            return posixpath.normpath(posixpath.join(posixpath.dirname(parent_path), name))
        return name

    def _create_template(self, name: str) -> Template:
        return Template(self.dict[name], name=name, loader=self)
