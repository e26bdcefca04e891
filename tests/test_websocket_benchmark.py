"""The benchmark of WebSocket servers measures what it says: it runs, and fills its tables."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ARGUMENTS = ["-s", "zonda-asyncio", "--rounds", "1", "--seconds", "0.1", "--idle", "50"]


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="the harness pins processes to two cores",
)
def test_zonda_by_itself() -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "websocket_servers.py"), *ARGUMENTS],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    titles = re.findall(r"^### (.*)$", result.stdout, re.MULTILINE)
    assert titles == [
        "echo of 32 B, 16 connections",
        "echo of 8192 B, 16 connections",
        "50 idle connections",
    ]
    rows = re.findall(r"^\| Zonda, asyncio \| ([\d,.]+) \|", result.stdout, re.MULTILINE)
    assert len(rows) == 3
    assert all(float(figure.replace(",", "")) > 0 for figure in rows)
