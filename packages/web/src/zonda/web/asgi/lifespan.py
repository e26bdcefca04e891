"""The lifespan of an application under an ASGI server: started and stopped when the server says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zonda.httpserver.asgi.types import Receive, Send
from zonda.httpserver.errors import LifespanError

if TYPE_CHECKING:
    from zonda.web.application import Application


async def serve_lifespan(application: Application, receive: Receive, send: Send) -> None:
    """Run the lifespan of an application (see ``Application.startup``).

    Args:
        application: The application.
        receive: Returns the server's messages.
        send: Takes the answers.
    """
    for phase, step in (("startup", application.startup), ("shutdown", application.shutdown)):
        message = await receive()
        if message["type"] != f"lifespan.{phase}":
            return
        try:
            await step()
        except LifespanError as error:
            await send({"type": f"lifespan.{phase}.failed", "message": str(error)})
            return
        await send({"type": f"lifespan.{phase}.complete"})
