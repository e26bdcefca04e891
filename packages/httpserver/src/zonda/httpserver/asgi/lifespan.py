"""The lifespan of an ASGI application: it is told of the start and of the end of the server.

`startup` returns when the application is ready, or raises `LifespanError`; `shutdown` when it has
cleaned up. Between the two its lifespan coroutine waits in a task of its own. Many applications
know nothing of lifespans and raise when asked; in mode ``auto`` that means "go on without".
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from zonda.httpserver.asgi.types import (
    LIFESPAN_SPEC_VERSION,
    ASGIApplication,
    Message,
)
from zonda.httpserver.errors import ApplicationProtocolError, LifespanError
from zonda.ioloop.log import app_log, gen_log

LifespanMode = Literal["auto", "on", "off"]
"""Whether applications are started and stopped: if they can be, always, never."""


class ASGILifespan:
    """Starts and stops an application.

    Args:
        app: The application.
        mode: ``"auto"``; ``"on"``: an application that raises before it has started is an error;
            ``"off"``: it is not asked.

    Attributes:
        state: What the application keeps for its requests; each gets a shallow copy.
    """

    def __init__(self, app: ASGIApplication, mode: LifespanMode = "auto") -> None:
        if mode not in ("auto", "on", "off"):
            raise ValueError(f'lifespan is "auto", "on" or "off", not {mode!r}')
        self.app = app
        self.mode = mode
        self.state: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None
        self._started: asyncio.Future[None] | None = None
        self._stop: asyncio.Event | None = None
        self._stopped: asyncio.Future[None] | None = None
        self._received = 0

    @property
    def ready(self) -> bool:
        """Whether requests may come."""
        if self.mode == "off":
            return True
        started = self._started
        return started is not None and started.done() and started.exception() is None

    async def startup(self) -> None:
        """Start the application, once however often this is called, and wait until it is ready.

        Raises:
            LifespanError: It has failed.
        """
        if self.mode == "off":
            return
        if self._started is None:
            loop = asyncio.get_running_loop()
            self._started = loop.create_future()
            self._stopped = loop.create_future()
            self._stop = asyncio.Event()
            self._task = loop.create_task(self._run())
        await asyncio.shield(self._started)

    async def shutdown(self) -> None:
        """Let the application clean up; nothing to do if it was not started or does not care.

        Raises:
            LifespanError: It has failed to.
        """
        if self._stop is None or self._stopped is None or self._task is None:
            return
        self._stop.set()
        await asyncio.wait([self._task])
        self._stopped.result()

    async def _run(self) -> None:
        started, stopped = self._started, self._stopped
        assert started is not None
        assert stopped is not None
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": LIFESPAN_SPEC_VERSION},
            "state": self.state,
        }
        error: BaseException | None = None
        try:
            await self.app(scope, self._receive, self._send)
        except asyncio.CancelledError as cancelled:
            error = cancelled
        except BaseException as raised:  # an application may use SystemExit to give up
            error = raised
        if not started.done():
            if self.mode == "on" or isinstance(error, asyncio.CancelledError):
                failure = LifespanError("startup", repr(error) if error else "it returned")
                failure.__cause__ = error
                started.set_exception(failure)
                started.exception()  # whoever waits gets it; perhaps nobody does
            else:
                gen_log.debug("The ASGI application has no lifespan (%r)", error)
                started.set_result(None)
        elif error is not None and started.exception() is None and not stopped.done():
            app_log.error(
                "Uncaught exception in the lifespan of an ASGI application", exc_info=error
            )
        if not stopped.done():
            stopped.set_result(None)
        if isinstance(error, asyncio.CancelledError):
            raise error

    async def _receive(self) -> Message:
        self._received += 1
        if self._received == 1:
            return {"type": "lifespan.startup"}
        assert self._stop is not None
        await self._stop.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        phase, _, outcome = kind.removeprefix("lifespan.").partition(".")
        future = {"startup": self._started, "shutdown": self._stopped}.get(phase)
        if future is None or outcome not in ("complete", "failed"):
            raise ApplicationProtocolError("ASGI", f"sent {kind!r} in its lifespan")
        if future.done():
            raise ApplicationProtocolError("ASGI", f"sent {kind!r} twice")
        if outcome == "complete":
            future.set_result(None)
        else:
            future.set_exception(LifespanError(phase, message.get("message", "")))
            future.exception()
