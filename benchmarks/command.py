"""The command line of the benchmarks: which servers, which workloads, how long, how often."""

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import peers, table, wrk
from benchmarks.server import SERVERS, Server, ServerError, python_for
from benchmarks.workloads import WORKLOADS, Workload, write_static_files

REFERENCE = "tornado"


def parser() -> argparse.ArgumentParser:
    """The options."""
    top = argparse.ArgumentParser(
        prog="dev bench",
        description="Measure Zonda beside its peers: requests a second, and CPU microseconds of the"
        " server process a request. Prints markdown.",
    )
    top.add_argument(
        "-w", "--workload", action="append", choices=WORKLOADS, help="default: all; repeatable"
    )
    top.add_argument(
        "-s",
        "--server",
        action="append",
        choices=SERVERS,
        help="default: all but tornado-uvloop; repeatable",
    )
    top.add_argument("-d", "--duration", type=int, default=4, help="seconds a round (default 4)")
    top.add_argument("-r", "--rounds", type=int, default=3, help="rounds (default 3)")
    top.add_argument(
        "-c", "--connections", type=int, default=64, help="keep-alive connections (default 64)"
    )
    top.add_argument(
        "--check", action="store_true", help="only ask each server once, and compare its answers"
    )
    return top


def cores() -> tuple[int, int]:
    """The core of the servers and the core of wrk."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        sys.exit("dev bench: two cores are needed, one for the server and one for wrk")
    return available[0], available[1]


@contextmanager
def running(names: list[str], core: int) -> Iterator[dict[str, Server]]:
    """The named servers, all started; idle ones cost nothing while another is loaded."""
    write_static_files()
    needs_peers = any(not SERVERS[name].zonda for name in names)
    python = peers.interpreter() if needs_peers else Path(sys.executable)
    with ExitStack() as stack:
        servers = {}
        for name in names:
            server = Server(SERVERS[name], python_for(SERVERS[name], python), core)
            stack.callback(server.stop)
            server.start()
            servers[name] = server
        yield servers


def measure(
    server: Server, workload: Workload, *, connections: int, seconds: int, core: int
) -> table.Round:
    """One round."""
    before = server.cpu_seconds()
    load = wrk.load(server.port, workload, connections=connections, seconds=seconds, core=core)
    used = server.cpu_seconds() - before
    return table.Round(load.rate, used / load.requests * 1e6, load.p99)


def main(arguments: list[str]) -> int:
    """Run the measurements and print the tables."""
    options = parser().parse_args(arguments)
    names = options.server or [name for name, kind in SERVERS.items() if kind.default]
    chosen = {name: WORKLOADS[name] for name in options.workload or WORKLOADS}
    server_core, wrk_core = cores()
    try:
        if not options.check:
            wrk.find()
        with running(names, server_core) as servers:
            for name, server in servers.items():
                mine = [chosen[key] for key in chosen if key not in server.kind.lacks]
                for workload in mine:
                    server.check(workload)
                if options.check:
                    print(f"{name}: {len(mine)} answers as expected")
            if options.check:
                return 0
            results = rounds(servers, chosen, options, wrk_core)
    except (ServerError, wrk.WrkError, peers.PeersError) as error:
        print(f"dev bench: {error}", file=sys.stderr)
        return 1
    print(heading(options), end="\n\n")
    versions = peers.versions()
    titles = {name: SERVERS[name].title.format(**versions) for name in names}
    for key, workload in chosen.items():
        some = {
            titles[name]: results[key, name] for name in names if key not in SERVERS[name].lacks
        }
        print(table.markdown(workload.title, some, titles.get(REFERENCE)), end="\n\n")
    return 0


def rounds(
    servers: dict[str, Server],
    chosen: dict[str, Workload],
    options: argparse.Namespace,
    wrk_core: int,
) -> dict[tuple[str, str], list[table.Round]]:
    """Every server under every workload, in turns, so that a slow minute hits all alike."""
    results: dict[tuple[str, str], list[table.Round]] = {}
    order = list(servers)
    for number in range(options.rounds + 1):
        # Round 0 warms up: code paths, connections, the CPU's clock.
        seconds = options.duration if number else 1
        for key, workload in chosen.items():
            for name in order:
                if key in servers[name].kind.lacks:
                    continue
                result = measure(
                    servers[name],
                    workload,
                    connections=options.connections,
                    seconds=seconds,
                    core=wrk_core,
                )
                if number:
                    results.setdefault((key, name), []).append(result)
                    print(
                        f"round {number}/{options.rounds} {key:10} {name:15}"
                        f" {result.rate:9,.0f}/s {result.cpu:7.1f} µs",
                        file=sys.stderr,
                    )
        order = order[1:] + order[:1]
    return results


def heading(options: argparse.Namespace) -> str:
    """What was measured where."""
    model = "unknown CPU"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return (
        f"Python {platform.python_version()}, {model}; server on one core, wrk on another,"
        f" {options.connections} keep-alive connections; medians of {options.rounds} rounds of"
        f" {options.duration} s, interleaved."
    )
