"""The settings that the framework knows, out of those given to `Application`.

=============================  ====================================================================
of the application
=============================  ====================================================================
``debug``                      sets ``autoreload`` and ``serve_traceback``, and clears
                               ``compiled_template_cache`` and ``static_hash_cache``, where these
                               are not given; not for production
``autoreload``                 restart when a source file changes
``default_handler_class``      for what no rule matches; ``default_handler_args`` for its
                               ``initialize``
``log_function``               called with the handler of each finished request, to log it
``serve_traceback``            error pages show the exception (see `zonda.web.debugpage`)
``compress_response``          compress responses (see `zonda.web.transforms`); ``gzip`` in old
                               programs
``parse_body_config``          limits of queries and forms: a `zonda.httputil.ParseBodyConfig`
``middleware``                 see `zonda.web.middleware`
``cors``                       see `zonda.web.cors`
``lifespan``                   see `zonda.web.lifespan`
=============================  ====================================================================

=============================  ====================================================================
of users and their security
=============================  ====================================================================
``cookie_secret``              key of signed cookies, or keys by version
``key_version``                which of several keys signs
``login_url``                  where ``@authenticated`` redirects to
``xsrf_cookies``               check XSRF tokens
``xsrf_cookie_version``        how tokens are written (2)
``xsrf_cookie_name``           ``"_xsrf"``
``xsrf_cookie_kwargs``         attributes of that cookie
``cross_origin_protection``    refuse what other sites make browsers send
``trusted_origins``            other sites that may
=============================  ====================================================================

=============================  ====================================================================
of pages
=============================  ====================================================================
``template_path``              folder of templates; ``template_loader`` for another kind of loader
``autoescape``                 name of the templates' escaping function; None for none
``template_whitespace``        the templates' white space mode
``compiled_template_cache``    keep compiled templates (true)
``ui_modules``                 UI modules: a module, a dictionary, or a list of these
``ui_methods``                 UI methods, likewise
``static_path``                folder of static files
``static_url_prefix``          ``"/static/"``
``static_handler_class``       `StaticFileHandler`, or a subclass; ``static_handler_args`` for its
                               ``initialize``
``static_hash_cache``          keep the versions of static files (true)
=============================  ====================================================================

Those of WebSockets begin with ``websocket_`` (see `zonda.web.websocket`).
"""

from __future__ import annotations

import re
from typing import Any

_DEBUG = {
    "autoreload": True,
    "compiled_template_cache": False,
    "static_hash_cache": False,
    "serve_traceback": True,
}


def apply_debug(settings: dict[str, Any]) -> None:
    """Set what ``debug`` stands for, where nothing else is given.

    >>> settings = {"debug": True, "autoreload": False}
    >>> apply_debug(settings)
    >>> settings["autoreload"], settings["serve_traceback"]
    (False, True)
    """
    if settings.get("debug"):
        for name, value in _DEBUG.items():
            settings.setdefault(name, value)


def static_rules(settings: dict[str, Any], handler_class: object) -> list[tuple[Any, ...]]:
    """Return the rules for static files: below the prefix, and two files that clients ask for.

    >>> [rule[0] for rule in static_rules({"static_path": "/srv"}, object)]
    ['/static/(.*)', '/(favicon\\\\.ico)', '/(robots\\\\.txt)']
    """
    if not settings.get("static_path"):
        return []
    arguments = {**settings.get("static_handler_args", {}), "path": settings["static_path"]}
    prefix = settings.get("static_url_prefix", "/static/")
    patterns = (re.escape(prefix) + "(.*)", r"/(favicon\.ico)", r"/(robots\.txt)")
    return [(pattern, handler_class, arguments) for pattern in patterns]
