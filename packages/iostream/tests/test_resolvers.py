"""Resolvers: each answers alike, literal addresses never leave the loop's thread."""

import asyncio
import concurrent.futures
import socket
from collections.abc import Callable

import pytest

from zonda.iostream.netutil import (
    BlockingResolver,
    DefaultExecutorResolver,
    DefaultLoopResolver,
    ExecutorResolver,
    OverrideResolver,
    Resolver,
    ThreadedResolver,
    is_valid_ip,
)
from zonda.iostream.resolvers import literal_address


class Refusing(concurrent.futures.Executor):
    """An executor that must not be used."""

    def submit(self, *args: object, **kwargs: object) -> "concurrent.futures.Future[object]":  # type: ignore[override]
        raise AssertionError("reached a thread")


@pytest.fixture(autouse=True, scope="module")
def _process_wide_threads() -> None:
    """Start, before anybody counts threads, those that live as long as the process."""

    async def use() -> None:
        await ThreadedResolver().resolve("localhost", 1)

    asyncio.run(use())
    try:
        import pycares  # noqa: PLC0415 - optional
    except ImportError:
        return
    pycares.Channel(sock_state_cb=lambda *_: None).close()


def cares() -> Resolver:
    pytest.importorskip("pycares")
    from zonda.iostream.platform.caresresolver import CaresResolver  # noqa: PLC0415 - optional

    return CaresResolver()


MAKERS: list[Callable[[], Resolver]] = [
    BlockingResolver,
    DefaultExecutorResolver,
    DefaultLoopResolver,
    ExecutorResolver,
    ThreadedResolver,
    cares,
]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize(
    ("host", "family", "expected"),
    [
        ("localhost", socket.AF_INET, [(socket.AF_INET, ("127.0.0.1", 80))]),
        ("127.0.0.1", socket.AF_UNSPEC, [(socket.AF_INET, ("127.0.0.1", 80))]),
        ("::1", socket.AF_UNSPEC, [(socket.AF_INET6, ("::1", 80, 0, 0))]),
    ],
)
async def test_resolve(
    make: Callable[[], Resolver],
    host: str,
    family: socket.AddressFamily,
    expected: list[tuple[int, object]],
) -> None:
    resolver = make()
    assert await resolver.resolve(host, 80, family) == expected
    resolver.close()


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
async def test_unknown_host(make: Callable[[], Resolver]) -> None:
    resolver = make()
    with pytest.raises(OSError):
        # A label of 64 octets is refused before anybody is asked.
        await resolver.resolve("a" * 64 + ".invalid", 80)
    resolver.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.1", "fe80::1%1"])
async def test_literals_reach_no_thread(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = ExecutorResolver(Refusing())
    assert await resolver.resolve(host, 1)

    def refuse(*args: object, **kwargs: object) -> object:
        raise AssertionError("reached a thread")

    for name in ("run_in_executor", "getaddrinfo"):
        try:
            monkeypatch.setattr(asyncio.get_running_loop(), name, refuse)
        except AttributeError:  # uvloop's cannot be patched; the asyncio run of this test can
            return
    assert await DefaultLoopResolver().resolve(host, 1)
    assert await DefaultExecutorResolver().resolve(host, 1)


@pytest.mark.parametrize(
    ("ip", "valid"),
    [
        ("127.0.0.1", True),
        ("4.4.4.4", True),
        ("::1", True),
        ("2620:0:1cfe:face:b00c::3", True),
        ("www.google.com", False),
        ("localhost", False),
        ("4.4.4.4<", False),
        (" 127.0.0.1", False),
        ("", False),
        (" ", False),
        ("\n", False),
        ("\x00", False),
        ("1.2.3.4\x00", False),
        ("a" * 300, False),
        ("\u06f1.2.3.4", False),
    ],
)
def test_is_valid_ip(ip: str, valid: bool) -> None:
    assert is_valid_ip(ip) is valid


@pytest.mark.parametrize("host", ["example.com", "1.2.3.4.5", "dead.beef", "\u06f1.2.3.4", ""])
def test_names_are_not_literals(host: str) -> None:
    assert literal_address(host, 1) is None


@pytest.mark.parametrize(
    ("host", "port", "family", "expected"),
    [
        ("a", 1, socket.AF_UNSPEC, ("127.0.0.7", 1)),
        ("b", 2, socket.AF_UNSPEC, ("127.0.0.8", 22)),
        ("b", 3, socket.AF_UNSPEC, ("127.0.0.9", 3)),
        ("b", 2, socket.AF_INET, ("127.0.0.10", 222)),
        ("127.0.0.1", 5, socket.AF_UNSPEC, ("127.0.0.1", 5)),
    ],
)
async def test_override(
    host: str, port: int, family: socket.AddressFamily, expected: tuple[str, int]
) -> None:
    resolver = OverrideResolver(
        resolver=BlockingResolver(),
        mapping={
            "a": "127.0.0.7",
            ("b", 2): ("127.0.0.8", 22),
            "b": "127.0.0.9",
            ("b", 2, socket.AF_INET): ("127.0.0.10", 222),
        },
    )
    assert await resolver.resolve(host, port, family) == [(socket.AF_INET, expected)]
    resolver.close()


def test_configure() -> None:
    assert type(Resolver()) is DefaultLoopResolver
    Resolver.configure("zonda.iostream.netutil.ThreadedResolver", num_threads=2)
    try:
        assert type(Resolver()) is ThreadedResolver
        assert Resolver().executor is ThreadedResolver().executor  # type: ignore[attr-defined]
    finally:
        Resolver.configure(None)


async def test_own_executor_is_shut_down() -> None:
    executor = concurrent.futures.ThreadPoolExecutor(1)
    resolver = ExecutorResolver(executor)
    assert await resolver.resolve("localhost", 1, socket.AF_INET)
    resolver.close()
    with pytest.raises(RuntimeError):
        executor.submit(print)
    with pytest.raises(RuntimeError):
        await resolver.resolve("localhost", 1)
