"""Finding the template that a handler names: which folder, which loader."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from zonda.web.template import BaseLoader, Loader

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler

_HERE = os.path.dirname(os.path.abspath(__file__))
_lock = threading.Lock()


def loader_of(handler: RequestHandler) -> BaseLoader:
    """Return the loader of a handler's templates.

    That is the setting ``template_loader``, or one for its template path, made on first use and
    kept in ``RequestHandler._template_loaders``. With the setting ``compiled_template_cache`` false
    each request reads its templates anew.
    """
    settings = handler.settings
    loader: BaseLoader | None = settings.get("template_loader")
    if loader is None:
        path = handler.get_template_path() or folder_of_caller()
        loader = handler._template_loaders.get(path)
        if loader is None:
            with _lock:
                loader = handler._template_loaders.get(path)
                if loader is None:
                    loader = handler._template_loaders[path] = handler.create_template_loader(path)
    if not settings.get("compiled_template_cache", True) and not handler._templates_fresh:
        handler._templates_fresh = True
        loader.reset()
    return loader


def create_loader(settings: dict[str, Any], path: str) -> Loader:
    """Return a loader of the files in a folder, as settings want it."""
    options: dict[str, Any] = {}
    if "autoescape" in settings:
        options["autoescape"] = settings["autoescape"]
    if "template_whitespace" in settings:
        options["whitespace"] = settings["template_whitespace"]
    return Loader(path, **options)


def folder_of_caller() -> str:
    """Return the folder of the program that has called into this package."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_HERE) and frame.f_back is not None:
        frame = frame.f_back
    return os.path.dirname(os.path.abspath(frame.f_code.co_filename))
