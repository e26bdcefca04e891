"""ASGI applications on Zonda's `ASGIContainer` and on uvicorn: CPU of the server a request.

    python benchmarks/asgi.py [-d SECONDS] [-r ROUNDS] [--check]

In an environment that has Zonda, uvicorn, httptools, uvloop, Starlette and FastAPI: both servers
run the same applications in the same interpreter, on uvloop, without an access log. They take turns
of a second or more; the ratio is the median of the rounds' ratios. ``--check`` fails where Zonda
needs more than uvicorn.
"""

import argparse
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path

# Run by path: the folder above makes the `benchmarks` package importable.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks import wrk  # noqa: E402
from benchmarks.command import cores  # noqa: E402
from benchmarks.server import Kind, Server  # noqa: E402
from benchmarks.workloads import WORKLOADS  # noqa: E402

APPLICATIONS = {"bare": "asgi_bare", "Starlette": "starlette_app", "FastAPI": "fastapi_app"}
ASKED = ("hello", "json", "post")
SERVERS = ("zonda", "uvicorn")

#: CPU microseconds a request, by application, workload and server.
Costs = dict[tuple[str, str, str], list[float]]


def one_round(server: Server, workload: str, seconds: int, core: int) -> float:
    """CPU microseconds of the server a request."""
    before = server.cpu_seconds()
    load = wrk.load(server.port, WORKLOADS[workload], connections=64, seconds=seconds, core=core)
    return (server.cpu_seconds() - before) / load.requests * 1e6


def measure(seconds: int, rounds: int) -> Costs:
    """Load all servers with everything, in turns, after a round that warms up."""
    server_core, wrk_core = cores()
    costs: Costs = {}
    with ExitStack() as stack:
        servers = {}
        for application, module in APPLICATIONS.items():
            for name in SERVERS:
                kind = Kind(f"{application}, {name}", "asgi_on.py", arguments=(name, module))
                server = servers[application, name] = Server(
                    kind, Path(sys.executable), server_core
                )
                stack.callback(server.stop)
                server.start()
                for workload in ASKED:
                    server.check(WORKLOADS[workload])
        for number in range(rounds + 1):
            for workload in ASKED:
                for (application, name), server in servers.items():
                    cost = one_round(server, workload, seconds if number else 1, wrk_core)
                    if number:
                        costs.setdefault((application, workload, name), []).append(cost)
    return costs


def main() -> int:
    """Measure and print a table; returns the exit status."""
    parser = argparse.ArgumentParser(description="ASGI applications on Zonda and on uvicorn")
    parser.add_argument("-d", "--duration", type=int, default=2, help="seconds a round (default 2)")
    parser.add_argument("-r", "--rounds", type=int, default=7, help="rounds (default 7)")
    parser.add_argument("--check", action="store_true", help="fail where the target is missed")
    options = parser.parse_args()
    costs = measure(options.duration, options.rounds)
    print("| application | workload | Zonda, µs | uvicorn, µs | ratio (lowest - highest) |")
    print("|---|---|---:|---:|---:|")
    failed = False
    for application in APPLICATIONS:
        for workload in ASKED:
            own, other = (costs[application, workload, name] for name in SERVERS)
            ratios = [a / b for a, b in zip(own, other, strict=True)]
            ratio = statistics.median(ratios)
            failed = failed or ratio > 1
            print(
                f"| {application} | {WORKLOADS[workload].title} | {statistics.median(own):.1f}"
                f" | {statistics.median(other):.1f}"
                f" | {ratio:.2f} ({min(ratios):.2f} - {max(ratios):.2f}) |"
            )
    return int(options.check and failed)


if __name__ == "__main__":
    sys.exit(main())
