"""wrk, the load generator: one run, and what it printed.

Raises WrkError when wrk is missing, fails, or had socket errors or answers other than 2xx.
"""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.workloads import Workload

_REQUESTS = re.compile(r"^\s*(\d+) requests in ", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s*([\d.]+)", re.MULTILINE)
_LATENCY = re.compile(r"^\s*(50|99)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
_WRONG = re.compile(r"^\s*(Socket errors:.*|Non-2xx or 3xx responses:.*)$", re.MULTILINE)
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class WrkError(Exception):
    """No figures could be had."""


@dataclass(frozen=True)
class Load:
    """What one run of wrk found.

    Attributes:
        requests: Answers received.
        rate: Answers a second.
        median: Median time to an answer, in milliseconds.
        p99: Time within which 99 % of the answers came, in milliseconds.
    """

    requests: int
    rate: float
    median: float
    p99: float


def find() -> str:
    """The path of wrk."""
    path = shutil.which("wrk")
    if path is None:
        raise WrkError("wrk is missing: it is the Debian package of that name (apt install wrk)")
    return path


def load(port: int, workload: Workload, *, connections: int, seconds: float, core: int) -> Load:
    """Load ``127.0.0.1:port`` from one core, over keep-alive connections."""
    duration = max(1, round(seconds))  # wrk counts whole seconds
    command = [find(), "-t1", f"-c{connections}", f"-d{duration}s", "--latency"]
    for name, value in workload.headers.items():
        command += ["-H", f"{name}: {value}"]
    with tempfile.TemporaryDirectory() as folder:
        if workload.method != "GET" or workload.body is not None:
            script = Path(folder, "request.lua")
            body = (workload.body or b"").decode("ascii")
            script.write_text(f'wrk.method = "{workload.method}"\nwrk.body = [==[{body}]==]\n')
            command += ["-s", str(script)]
        command.append(f"http://127.0.0.1:{port}{workload.path}")
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=duration + 30,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
    if result.returncode:
        raise WrkError(f"wrk failed: {result.stderr.strip() or result.stdout.strip()}")
    return parse(result.stdout)


def parse(text: str) -> Load:
    """Read wrk's report."""
    if wrong := _WRONG.search(text):
        raise WrkError(f"wrk reports {wrong[1]}")
    requests, rate = _REQUESTS.search(text), _RATE.search(text)
    latency = {
        percent: float(number) * _MILLISECONDS[unit]
        for percent, number, unit in _LATENCY.findall(text)
    }
    if requests is None or rate is None or latency.keys() != {"50", "99"} or not int(requests[1]):
        raise WrkError(f"wrk's report has no figures:\n{text}")
    return Load(int(requests[1]), float(rate[1]), latency["50"], latency["99"])
