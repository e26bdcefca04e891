"""The Autobahn test suite against both ends: five hundred cases of RFC 6455 and RFC 7692.

    python tests/autobahn.py WSTEST [--case PATTERN ...] [--plain]

WSTEST is the command of the package ``autobahntestsuite``, which is for Python 2.7. Prints how many
cases ended how, by section, and fails for any that is neither OK nor INFORMATIONAL nor in
`NON_STRICT`. All cases take some ten minutes on an idle machine: 9.* are large messages, 12.* and
13.* a thousand compressed ones each.
"""

import argparse
import asyncio
import json
import socket
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from zonda.httpclient.websocket import websocket_connect
from zonda.web import Application
from zonda.web.websocket import WebSocketHandler

LARGEST = 64 * 1024 * 1024
# Of the client only: the suite sends a message and, in the same segment as its handshake, a fault
# behind it. The connection has failed before the application has it in its hands, and so the
# message is not answered. Tornado's client has the same ones.
NON_STRICT = frozenset(
    ("3.2", "3.3", "3.4", "4.1.3", "4.1.4", "4.1.5", "4.2.3", "4.2.4", "4.2.5", "5.15")
)


class Echo(WebSocketHandler):
    def get_compression_options(self) -> dict[str, Any] | None:
        return None if self.settings["plain"] else {}

    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message, isinstance(message, bytes))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def start(wstest: str, mode: str, folder: Path, **spec: Any) -> asyncio.subprocess.Process:
    file = folder / f"{mode}.json"
    spec.update(outdir=str(folder / mode), **{"exclude-cases": [], "exclude-agent-cases": {}})
    file.write_text(json.dumps(spec))
    return await asyncio.create_subprocess_exec(
        wstest,
        "-m",
        mode,
        "-s",
        str(file),
        "-u",
        "0",
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
    )


async def server_cases(wstest: str, folder: Path, cases: list[str], plain: bool) -> None:
    """Their clients against our server."""
    port = free_port()
    application = Application([("/", Echo)], plain=plain, websocket_max_message_size=LARGEST)
    server = application.listen(port, "127.0.0.1")
    agent = {"agent": "server", "url": f"ws://127.0.0.1:{port}"}
    process = await start(wstest, "fuzzingclient", folder, servers=[agent], cases=cases)
    await process.wait()
    server.stop()


async def client_cases(wstest: str, folder: Path, cases: list[str], plain: bool) -> None:
    """Our client against their server."""
    url = f"ws://127.0.0.1:{free_port()}"
    process = await start(wstest, "fuzzingserver", folder, url=url, cases=cases)
    try:
        for _ in range(600):
            try:
                counting = await websocket_connect(f"{url}/getCaseCount")
                break
            except OSError:
                await asyncio.sleep(0.1)
        count = int(await counting.read_message() or 0)
        for case in range(1, count + 1):
            connection = await websocket_connect(
                f"{url}/runCase?case={case}&agent=client",
                compression_options=None if plain else {},
                max_message_size=LARGEST,
            )
            async for message in connection:
                if connection.protocol is not None:
                    await connection.write_message(message, isinstance(message, bytes))
        done = await websocket_connect(f"{url}/updateReports?agent=client")
        await done.read_message()
    finally:
        process.terminate()
        await process.wait()


def judge(report: Path, excused: frozenset[str]) -> bool:
    """Print a report; True if nothing in it is a fault."""
    sections: dict[int, Counter[str]] = {}
    faults = []
    for agent, cases in json.loads(report.read_text()).items():
        for case, result in cases.items():
            behaviour = result["behavior"]
            sections.setdefault(int(case.partition(".")[0]), Counter())[behaviour] += 1
            good = behaviour in ("OK", "INFORMATIONAL")
            excusable = behaviour == "NON-STRICT" and case in excused
            if not (good or excusable) or result["behaviorClose"] not in ("OK", "INFORMATIONAL"):
                faults.append(f"{agent} {case}: {behaviour}, closing {result['behaviorClose']}")
    for section, counts in sorted(sections.items()):
        print(f"{section:>4}.*", ", ".join(f"{n} {kind}" for kind, n in counts.most_common()))
    print(*faults, sep="\n", end="\n" if faults else "")
    return not faults


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("wstest")
    parser.add_argument("--case", action="append", help="such as 12.*; all by default")
    parser.add_argument("--plain", action="store_true", help="without compression")
    options = parser.parse_args()
    cases = options.case or ["*"]
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("server", flush=True)
        await server_cases(options.wstest, folder, cases, options.plain)
        good &= judge(folder / "fuzzingclient" / "index.json", frozenset())
        print("client", flush=True)
        await client_cases(options.wstest, folder, cases, options.plain)
        good &= judge(folder / "fuzzingserver" / "index.json", NON_STRICT)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
