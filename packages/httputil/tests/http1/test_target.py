"""Forms of request targets, and hosts."""

import pytest

from zonda.httputil.http1 import RemoteProtocolError
from zonda.httputil.http1.target import KNOWN_HOSTS, check_host, target_authority


@pytest.mark.parametrize(
    ("method", "target", "authority"),
    [
        ("GET", "/", None),
        ("GET", "//evil.example/", None),
        ("OPTIONS", "*", None),
        ("OPTIONS", "/", None),
        ("GET", "http://h", "h"),
        ("GET", "HTTPS://h:8443?q", "h:8443"),
        ("OPTIONS", "http://h", "h"),
        ("GET", "http://[::1]:80/", "[::1]:80"),
        ("CONNECT", "h:443", "h:443"),
        ("CONNECT", "[::1]:443", "[::1]:443"),
    ],
)
def test_forms(method: str, target: str, authority: str | None) -> None:
    assert target_authority(method, target) == authority


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "*"),
        ("OPTIONS", "**"),
        ("GET", "foo"),
        ("GET", "h:80"),
        ("GET", "http:/h"),
        ("GET", "http://"),
        ("GET", "http://:80/"),
        ("GET", "http://u@h/"),
        ("GET", "http://h:-1/"),
        ("GET", "http://h:70000/"),
        ("GET", "http://[::1/"),
        ("GET", "1http://h/"),
        ("CONNECT", "/"),
        ("CONNECT", "*"),
        ("CONNECT", "h"),
        ("CONNECT", "h:"),
        ("CONNECT", "h:65536"),
        ("CONNECT", "http://h:80"),
        ("CONNECT", "u@h:80"),
    ],
)
def test_refused_forms(method: str, target: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        target_authority(method, target)
    assert caught.value.status == 400


def test_known_hosts_are_bounded() -> None:
    for number in range(2000):
        assert check_host(f"  host-{number}.example ") == f"host-{number}.example"
    assert len(KNOWN_HOSTS) <= 512
    check_host("a" * 1000)
    assert "a" * 1000 not in KNOWN_HOSTS


@pytest.mark.parametrize("value", ["h:-1", "h:99999", "a/b", "a b", "a,b", "u@h", "[::1", "h:1:2"])
def test_hosts_that_are_none(value: str) -> None:
    for _ in range(2):
        with pytest.raises(RemoteProtocolError):
            check_host(value)
