"""Several processes on one port, and an end at which no request is lost.

    .venv/bin/python -m zonda.ioloop.supervisor -n 4 examples/processes.py

Then `kill -HUP` the supervisor to reload the program process by process, `kill -TERM` to end it.
"""

import asyncio
import os

from zonda import web
from zonda.httpserver.termination import until_signal
from zonda.ioloop import supervisor


class ProcessHandler(web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(float(self.get_query_argument("seconds", "0")))
        self.write({"process": os.getpid(), "number": supervisor.worker_number()})


async def main() -> None:
    application = web.Application([(r"/", ProcessHandler)])
    server = application.listen(8888, reuse_port=True)
    supervisor.ready()
    await until_signal(server, timeout=30)


if __name__ == "__main__":
    asyncio.run(main())
