"""The README's program runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from zonda.iostream.netutil import bind_sockets

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.skipif(not README.exists(), reason="installed without it")
def test_program() -> None:
    found = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    (probe,) = bind_sockets(0, "127.0.0.1")
    port = probe.getsockname()[1]
    probe.close()
    program = found[1].replace("8888", str(port))
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == b"b'HELLO\\n'\n"
