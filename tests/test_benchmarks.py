"""The benchmark harness measures what it says: right answers, figures read as wrk prints them."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="the harness pins processes to cores"
)

REPORT = """\
Running 2s test @ http://127.0.0.1:41231/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.02ms    1.10ms  31.09ms   98.52%
    Req/Sec    32.35k     1.35k   34.49k    80.00%
  Latency Distribution
     50%  950.00us
     75%    2.00ms
     90%    2.18ms
     99%    1.02s
  64397 requests in 2.00s, 12.53MB read
Requests/sec:  32153.65
Transfer/sec:      6.26MB
"""


@pytest.fixture
def wrk(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.wrk")


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.table")


def run(*arguments: str, path: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "run.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | ({} if path is None else {"PATH": path}),
    )


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="the harness needs two cores")
@pytest.mark.parametrize("server", ["zonda", "zonda-asyncio"])
def test_zonda_answers_every_workload_as_expected(server: str) -> None:
    if server == "zonda":
        pytest.importorskip("uvloop")
    result = run("--check", "-s", server)
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(rf"{server}: [1-9]\d* answers as expected\n", result.stdout)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="the harness needs two cores")
def test_a_missing_wrk_is_one_clear_sentence() -> None:
    result = run("-s", "zonda", path="/nonexistent")
    assert result.returncode == 1
    assert result.stderr == (
        "dev bench: wrk is missing: it is the Debian package of that name (apt install wrk)\n"
    )


def test_a_report_is_read(wrk: ModuleType) -> None:
    load = wrk.parse(REPORT)
    assert (load.requests, load.rate) == (64397, 32153.65)
    assert (load.median, load.p99) == pytest.approx((0.95, 1020.0))


@pytest.mark.parametrize(
    "line",
    [
        "  Socket errors: connect 0, read 5, write 0, timeout 0",
        "  Non-2xx or 3xx responses: 64397",
    ],
)
def test_errors_under_load_are_no_result(wrk: ModuleType, line: str) -> None:
    text = REPORT.replace("Requests/sec", f"{line}\nRequests/sec")
    with pytest.raises(wrk.WrkError, match=line.strip()[:13]):
        wrk.parse(text)


@pytest.mark.parametrize("text", ["", REPORT.replace("64397", "0"), REPORT.replace("99%", "98%")])
def test_a_report_without_figures_is_no_result(wrk: ModuleType, text: str) -> None:
    with pytest.raises(wrk.WrkError, match="no figures"):
        wrk.parse(text)


def test_the_table_shows_medians_and_ratios(table: ModuleType) -> None:
    rounds = {
        "T": [table.Round(100.0, cpu, 9.0) for cpu in (200.0, 160.0, 170.0)],
        "Z": [
            table.Round(1000.0, 40.0, 1.0),
            table.Round(3000.0, 20.0, 1.0),
            table.Round(2000.0, 10.0, 1.0),
        ],
    }
    assert table.markdown("hello", rounds, "T").splitlines() == [
        "### hello",
        "",
        "| server | requests/s | CPU µs a request (lowest - highest) | p99 ms | T = 1 |",
        "|---|---:|---:|---:|---:|",
        "| Z | 2,000 | 20.0 (10.0 - 40.0) | 1.00 | 1/8.0 |",
        "| T | 100 | 170.0 (160.0 - 200.0) | 9.00 | 1.0 |",
    ]
    assert "= 1" not in table.markdown("hello", rounds, None)
