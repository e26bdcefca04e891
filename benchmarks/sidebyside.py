"""The same small programs on Zonda and on Tornado, in processes of their own, in turn.

A script names its cases, functions that do something ``n`` times on a running loop, and calls
`main`. For every round each contender runs the script again, as a worker, in its own interpreter:
so a noisy machine hits them alike. Figures are CPU time; a worker takes the best of some
repetitions, the table the median over the rounds; ratios are medians of the rounds' ratios.

Where a case needs turns of the loop, which both frameworks leave to asyncio, its script may name a
*floor*: the same done with nothing but asyncio. The table then says what asyncio alone costs, and
how the frameworks compare in what they add to that.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

Case = Callable[[int], Awaitable[object]]

#: The interpreter that has Tornado, where no option names it.
VARIABLE = "ZONDA_BENCH_TORNADO"

_REPETITIONS = 5
_BARE = "asyncio alone"


@dataclass(frozen=True)
class Contender:
    """Who runs the cases.

    Attributes:
        name: The head of its column.
        python: The interpreter.
        framework: ``zonda`` or ``tornado``; or ``bare``, for the floors.
        loop: ``asyncio``, or ``uvloop``.
    """

    name: str
    python: str
    framework: str
    loop: str


def framework() -> str:
    """What the worker measures: ``zonda`` or ``tornado``."""
    return os.environ.get("ZONDA_BENCH_FRAMEWORK", "zonda")


def main(
    title: str,
    cases: dict[str, tuple[Case, int]],
    script: str,
    floors: Mapping[str, Case] | None = None,
) -> int:
    """Run a benchmark script.

    Args:
        title: Printed above the table.
        cases: Name -> (what to do, how often).
        script: The script's ``__file__``.
        floors: Name of a case -> the same with nothing but asyncio.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument(
        "--tornado",
        metavar="PYTHON",
        default=os.environ.get(VARIABLE),
        help=f"an interpreter that has Tornado (default: ${VARIABLE})",
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default 5)")
    parser.add_argument("--scale", type=float, default=1.0, help="times the work (default 1)")
    parser.add_argument("-k", "--case", action="append", help="only cases that contain this text")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    chosen = {
        name: (case, max(1, int(count * options.scale)))
        for name, (case, count) in cases.items()
        if not options.case or any(text in name for text in options.case)
    }
    floors = {name: floor for name, floor in (floors or {}).items() if name in chosen}
    if options.worker:
        bare = framework() == "bare"
        print(
            json.dumps(
                _measure(
                    {name: (floors[name], chosen[name][1]) for name in floors} if bare else chosen
                )
            )
        )
        return 0
    contenders = [
        Contender("zonda", sys.executable, "zonda", "asyncio"),
        Contender("zonda, uvloop", sys.executable, "zonda", "uvloop"),
    ]
    if options.tornado:
        contenders.insert(0, Contender("tornado", options.tornado, "tornado", "asyncio"))
    if floors:
        contenders.append(Contender(_BARE, sys.executable, "bare", "asyncio"))
    rounds: dict[str, list[dict[str, float]]] = {one.name: [] for one in contenders}
    for _ in range(options.rounds):
        for one in contenders:
            rounds[one.name].append(_run_worker(one, script, sys.argv[1:]))
    print(_table(title, list(chosen), rounds))
    return 0


def _measure(cases: dict[str, tuple[Case, int]]) -> dict[str, float]:
    """CPU seconds of each case, once."""
    if os.environ.get("ZONDA_LOOP") == "uvloop":
        import uvloop  # noqa: PLC0415 - not every contender has it

        factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    else:
        factory = asyncio.SelectorEventLoop
    costs = {}
    for name, (case, count) in cases.items():

        async def timed(case: Case = case, count: int = count) -> float:
            await case(max(1, count // 10))  # warm
            gc.collect()
            started = time.process_time()
            await case(count)
            return (time.process_time() - started) / count

        best = float("inf")
        for _ in range(_REPETITIONS):
            with asyncio.Runner(loop_factory=factory) as runner:
                best = min(best, runner.run(timed()))
        costs[name] = best
    return costs


def _run_worker(one: Contender, script: str, arguments: Sequence[str]) -> dict[str, float]:
    environment = {
        **os.environ,
        "ZONDA_BENCH_FRAMEWORK": one.framework,
        "ZONDA_LOOP": one.loop,
    }
    ran = subprocess.run(
        [one.python, script, *arguments, "--worker"],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    costs: dict[str, float] = json.loads(ran.stdout)
    return costs


def _table(title: str, cases: list[str], rounds: dict[str, list[dict[str, float]]]) -> str:
    names = list(rounds)
    reference = rounds.get("tornado")
    ratios = [name for name in names if name not in ("tornado", _BARE)] if reference else []
    floors = rounds.get(_BARE, [])
    heads = [*(f"{name} µs" for name in names), *(f"tornado / {name}" for name in ratios)]
    if floors and reference:
        heads.append("the same without asyncio's share")
    lines = [
        f"### {title}",
        "",
        f"| case | {' | '.join(heads)} |",
        "|---|" + "---:|" * len(heads),
    ]
    for case in cases:
        cells = [case]
        for name in names:
            costs = [one[case] for one in rounds[name] if case in one]
            cells.append(f"{statistics.median(costs) * 1e6:.2f}" if costs else "")
        for name in ratios:
            assert reference is not None
            pairs = zip(reference, rounds[name], strict=True)
            cells.append(f"{statistics.median(a[case] / b[case] for a, b in pairs):.1f}")
        if reference and floors:
            cells.append(_without_floor(case, reference, rounds["zonda"], floors))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _without_floor(case: str, *contenders: Sequence[Mapping[str, float]]) -> str:
    """The ratio of what the first two cost above the third; nothing without a third."""
    if case not in contenders[2][0]:
        return ""
    one, other, floor = (min(costs[case] for costs in rounds) for rounds in contenders)
    return f"{(one - floor) / (other - floor):.1f}" if other > floor else "-"
