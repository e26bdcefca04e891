"""A handler's pages: which template of which loader, with which names, and how it is finished."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from zonda.web.pageparts import add_parts
from zonda.web.template import BaseLoader, Loader
from zonda.web.uimodules import ModuleNamespace

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


def namespace_of(handler: RequestHandler) -> dict[str, Any]:
    """Return the names of `RequestHandler.get_template_namespace`."""
    locale = handler.locale
    application = handler.application
    modules = ModuleNamespace(handler, application.ui_modules)
    names = {
        "handler": handler,
        "request": handler.request,
        "current_user": handler.current_user,
        "locale": locale,
        "_": locale.translate,
        "pgettext": locale.pgettext,
        "static_url": handler.static_url,
        "xsrf_form_html": handler.xsrf_form_html,
        "reverse_url": handler.reverse_url,
        "modules": modules,
        "_tt_modules": modules,  # what compiled templates use
    }
    # Nothing more is in it unless somebody has put it there.
    if application.ui_methods or handler._ui is not None:
        names.update(handler.ui)
    return names


def finish_page(handler: RequestHandler, page: bytes) -> asyncio.Future[None]:
    """Finish with a page, and what its UI modules need around it.

    Raises:
        RuntimeError: The response is finished.
    """
    if handler._finished:
        raise RuntimeError("Cannot render() after finish()")
    if handler._active_modules:
        page = add_parts(page, handler._active_modules.values(), handler)
    future = handler.finish(page)
    # They refer to this handler: it would have to wait for the garbage collector, with all of the
    # request. Who asks for them again gets new ones.
    handler._ui = handler._active_modules = None
    return future


def static_url(
    handler: RequestHandler, path: str, include_host: bool | None, kwargs: dict[str, Any]
) -> str:
    """Do what `RequestHandler.static_url` does.

    Args:
        handler: The handler.
        path: The file's path.
        include_host: Whether the URL has a scheme and host; None: as the handler says.
        kwargs: For ``make_static_url``.
    """
    handler.require_setting("static_path", "static_url")
    if include_host is None:
        include_host = getattr(handler, "include_host", False)
    base = f"{handler.request.protocol}://{handler.request.host}" if include_host else ""
    files = handler.application.static_files
    if not handler.settings.get("static_hash_cache", True) and not handler._versions_fresh:
        handler._versions_fresh = True
        files.reset()
    url: str = files.make_static_url(handler.settings, path, **kwargs)
    return base + url
