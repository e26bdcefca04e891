"""What is settled before `RequestHandler.prepare`: whether the request may come from where it does.

Asked for every method but GET and HEAD, with which nobody can change anything. OPTIONS changes
nothing either, but may be a preflight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zonda.web.cors import answer_preflight
from zonda.web.crossorigin import why_refused
from zonda.web.errors import HTTPError

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler


def check_sender(handler: RequestHandler) -> None:
    """Refuse a request that another site may have made a browser send.

    Which checks there are is a matter of settings: ``cross_origin_protection`` and
    ``xsrf_cookies``.

    Raises:
        HTTPError: 403: it fails one of them.
        Finish: It was a preflight, and is answered.
    """
    request = handler.request
    if request.method in ("GET", "HEAD"):
        return
    settings = handler.settings
    if request.method == "OPTIONS":
        if settings.get("cors") is not None:
            answer_preflight(handler, settings["cors"])
        return
    if settings.get("cross_origin_protection"):
        reason = why_refused(request.headers, request.host, handler.check_trusted_origin)
        if reason is not None:
            raise HTTPError(403, "%s", reason)
    if settings.get("xsrf_cookies"):
        handler.check_xsrf_cookie()
