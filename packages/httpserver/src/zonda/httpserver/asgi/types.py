"""The types of the ASGI interface, version 3: one callable and messages that are dictionaries."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

# What the values are depends on the keys (https://asgi.readthedocs.io/en/latest/specs/).
Scope = MutableMapping[str, Any]
"""What is known of a connection when it begins."""
Message = MutableMapping[str, Any]
"""An event; its ``type`` says which."""
Receive = Callable[[], Awaitable[Message]]
"""Awaits the next event for the application."""
Send = Callable[[Message], Awaitable[None]]
"""Takes the application's events."""
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI 3 application."""

# Of the "HTTP & WebSocket ASGI Message Format". From 2.4 on ``send`` raises an OSError when the
# client is gone.
SPEC_VERSION = "2.5"
LIFESPAN_SPEC_VERSION = "2.0"
"""Of the "Lifespan Protocol"."""
