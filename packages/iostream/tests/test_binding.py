"""Listening sockets."""

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from zonda.iostream.netutil import bind_sockets, bind_unix_socket


def close(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


@pytest.mark.parametrize("address", [None, "", "localhost"])
def test_port_zero_is_the_same_for_all_families(address: str | None) -> None:
    sockets = bind_sockets(0, address)
    assert len({sock.getsockname()[1] for sock in sockets}) == 1
    assert not any(sock.getblocking() for sock in sockets)
    assert {sock.family for sock in sockets} <= {socket.AF_INET, socket.AF_INET6}
    close(sockets)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_one_family(family: socket.AddressFamily) -> None:
    sockets = bind_sockets(0, None, family=family)
    assert [sock.family for sock in sockets] == [family]
    close(sockets)


def test_reuse_port() -> None:
    first = bind_sockets(0, "127.0.0.1", reuse_port=True)
    port = first[0].getsockname()[1]
    close(bind_sockets(port, "127.0.0.1", reuse_port=True))
    with pytest.raises(OSError):
        bind_sockets(port, "127.0.0.1")
    close(first)


def test_reuse_port_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    with pytest.raises(ValueError, match="SO_REUSEPORT"):
        bind_sockets(0, "127.0.0.1", reuse_port=True)


def test_port_in_use_leaves_nothing_open() -> None:
    (taken,) = bind_sockets(0, "127.0.0.1")
    with pytest.raises(OSError):
        bind_sockets(taken.getsockname()[1], None)
    taken.close()


def test_unknown_host() -> None:
    with pytest.raises(socket.gaierror):
        bind_sockets(0, "no-such-host.invalid", flags=socket.AI_NUMERICHOST)


def test_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    sock = bind_unix_socket(path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    client.close()
    sock.close()
    # The file stays behind; the next one replaces it.
    second = bind_unix_socket(path, mode=0o666)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o666
    second.close()


def test_unix_socket_spares_other_files(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(ValueError, match="not a socket"):
        bind_unix_socket(str(path))
    assert path.read_text() == "data"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
def test_abstract_unix_socket() -> None:
    name = f"\0zonda-test-{os.getpid()}"
    sock = bind_unix_socket(name)
    client = socket.socket(socket.AF_UNIX)
    client.connect(name)
    client.close()
    sock.close()
