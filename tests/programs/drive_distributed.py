"""Dask's distributed: a scheduler and workers over its comms, which are IOStreams."""

from tests.programs.harness import Run

DISTRIBUTIONS = ("distributed", "dask", "cryptography")
DRIVEN = (
    "a cluster of processes over TCP; 1000 tasks, 40 MB of data to and fro, an error, a worker "
    "added and retired; scheduler's HTTP pages; tasks and data over TLS"
)

_PROGRAM = """
import json, operator, urllib.request
from distributed import Client, LocalCluster
from distributed.security import Security

def inc(x):
    return x + 1

def work(security):
    with LocalCluster(
        n_workers=2, processes=not security, threads_per_worker=1, host="127.0.0.1",
        dashboard_address="127.0.0.1:0", protocol="tls://" if security else "tcp://",
        security=security,
    ) as cluster, Client(cluster) as client:
        assert sum(client.gather(client.map(inc, range(1000)))) == 500500
        data = client.scatter(b"x" * 40_000_000, direct=False)
        assert client.submit(len, data).result() == 40_000_000
        assert len(data.result()) == 40_000_000
        try:
            client.submit(operator.truediv, 1, 0).result()
        except ZeroDivisionError:
            pass
        else:
            raise AssertionError
        if security:
            return
        cluster.scale(3)
        client.wait_for_workers(3, timeout=40)
        assert len(client.run(inc, 1)) == 3
        cluster.scale(1)
        assert client.submit(inc, 41).result() == 42
        port = cluster.scheduler.http_server.port
        for path, word in (("/health", b"ok"), ("/json/counts.json", b"workers"),
                           ("/metrics", b"dask_scheduler")):
            url = f"http://127.0.0.1:{port}{path}"
            with urllib.request.urlopen(url, timeout=30) as response:
                assert word in response.read(), path

if __name__ == "__main__":
    work(None)
    work(Security.temporary())
    print("done")
"""


def drive(run: Run) -> None:
    """Do what `DRIVEN` says."""
    (run.folder / "cluster.py").write_text(_PROGRAM)
    said = run.python("-W", "ignore", "cluster.py")
    assert said.splitlines()[-1] == "done", said
