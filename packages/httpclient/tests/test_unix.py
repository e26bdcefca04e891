"""Unix sockets: a resolver may give addresses of any family."""

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpclient import HTTPConnectError, HTTPConnectionRefusedError
from zonda.httpclient.simple import SimpleAsyncHTTPClient
from zonda.iostream.netutil import Resolver

if TYPE_CHECKING:
    from packages.httpclient.tests.conftest import Peer, Serve

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no Unix sockets")


class UnixResolver(Resolver):
    """Finds some names at paths, and all others where another resolver does."""

    def initialize(self, paths: dict[str, str]) -> None:
        self.paths = paths
        self.other = Resolver()

    def close(self) -> None:
        self.other.close()

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        if host in self.paths:
            return [(socket.AF_UNIX, self.paths[host])]
        return await self.other.resolve(host, port, family)


async def name_host(peer: "Peer") -> None:
    while True:
        request = await peer.request()
        await peer.answer(f"{request.target} {request.headers['Host']}".encode())


@pytest.mark.parametrize("abstract", [False, True])
async def test_a_server_at_a_path(serve: "Serve", tmp_path: Path, abstract: bool) -> None:
    if abstract and not sys.platform.startswith("linux"):
        pytest.skip("abstract addresses are Linux's")
    path = f"\0zonda-{tmp_path}" if abstract else str(tmp_path / "socket")
    resolver = UnixResolver(paths={"docker": path})
    async with serve(name_host, path=path) as unix, serve(name_host) as other:
        async with SimpleAsyncHTTPClient(force_instance=True, resolver=resolver) as client:
            for _ in range(2):
                response = await client.fetch("http://docker/v1/info?x")
                assert response.body == b"/v1/info?x docker"
            response = await client.fetch("http://docker:0/")  # the port means nothing
            assert response.body == b"/ docker:0"
            assert (await client.fetch(other.url())).body == f"/ 127.0.0.1:{other.port}".encode()
    resolver.close()
    assert unix.connections == 2  # kept open, as all others, for each port


async def test_nobody_there(tmp_path: Path) -> None:
    abandoned = str(tmp_path / "abandoned")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(abandoned)
    paths = {"abandoned": abandoned, "missing": str(tmp_path / "missing")}
    resolver = UnixResolver(paths=paths)
    async with SimpleAsyncHTTPClient(force_instance=True, resolver=resolver) as client:
        with pytest.raises(HTTPConnectionRefusedError):
            await client.fetch("http://abandoned/")
        with pytest.raises(HTTPConnectError) as caught:
            await client.fetch("http://missing/")
        assert isinstance(caught.value, OSError)
    resolver.close()
