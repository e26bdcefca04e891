import asyncio
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from zonda.ioloop import factory
from zonda.ioloop.factory import loop_factory, new_asyncio_loop, own_asyncio_loop, thread_loop


@pytest.fixture(autouse=True)
def no_loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("ZONDA_LOOP", raising=False)
    asyncio.set_event_loop(None)
    yield
    asyncio.set_event_loop(None)


def module_of_new_loop(kind: str | None = None) -> str:
    loop = new_asyncio_loop(kind)
    loop.close()
    return type(loop).__module__.partition(".")[0]


def without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "_FAST_LOOP", "there_is_no_such_loop")
    monkeypatch.setattr(factory, "_fast_tried", False)
    monkeypatch.setattr(factory, "_fast_factory", None)


class TestKind:
    def test_uvloop_by_default(self) -> None:
        pytest.importorskip("uvloop")
        assert module_of_new_loop() == "uvloop"

    def test_asyncio_without_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without_uvloop(monkeypatch)
        assert module_of_new_loop() == "asyncio"

    def test_asked_for_and_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without_uvloop(monkeypatch)
        with pytest.raises(ImportError, match="not installed"):
            loop_factory("uvloop")

    def test_by_name(self) -> None:
        assert module_of_new_loop("asyncio") == "asyncio"
        pytest.importorskip("uvloop")
        assert module_of_new_loop("uvloop") == "uvloop"

    @pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
    def test_by_environment(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip(kind)
        monkeypatch.setenv("ZONDA_LOOP", kind)
        assert module_of_new_loop() == kind
        assert module_of_new_loop("asyncio") == "asyncio"

    def test_unknown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ValueError, match="'twisted'"):
            loop_factory("twisted")
        monkeypatch.setenv("ZONDA_LOOP", "twisted")
        with pytest.raises(ValueError, match="'twisted'"):
            loop_factory()

    @pytest.mark.skipif(sys.version_info >= (3, 14), reason="policies are deprecated")
    def test_the_applications_policy(self) -> None:
        class Mine(asyncio.SelectorEventLoop):
            pass

        class Policy(asyncio.DefaultEventLoopPolicy):
            def new_event_loop(self) -> asyncio.AbstractEventLoop:
                return Mine()

        asyncio.set_event_loop_policy(Policy())
        try:
            loop = new_asyncio_loop()
            assert type(loop) is Mine
            loop.close()
        finally:
            asyncio.set_event_loop_policy(None)


class TestThreadLoop:
    def test_neither_makes_one_nor_warns(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert thread_loop() is None
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            assert thread_loop() is loop
        loop.close()

    def test_each_thread_has_its_own(self) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        seen: list[object] = []
        thread = threading.Thread(target=lambda: seen.append(thread_loop()))
        thread.start()
        thread.join()
        assert seen == [None]
        loop.close()

    @pytest.mark.skipif(sys.version_info >= (3, 14), reason="policies are deprecated")
    def test_policies_that_keep_it_elsewhere(self) -> None:
        class Policy(asyncio.AbstractEventLoopPolicy):
            loop: asyncio.AbstractEventLoop | None = None

            def get_event_loop(self) -> asyncio.AbstractEventLoop:
                if self.loop is None:
                    raise RuntimeError("none")
                return self.loop

            def set_event_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
                self.loop = loop

        asyncio.set_event_loop_policy(Policy())  # type: ignore[abstract]
        try:
            assert thread_loop() is None
            loop = asyncio.SelectorEventLoop()
            asyncio.set_event_loop(loop)
            assert thread_loop() is loop
            loop.close()
        finally:
            asyncio.set_event_loop_policy(None)


class TestOwnLoop:
    async def test_running(self) -> None:
        assert own_asyncio_loop() is asyncio.get_running_loop()

    def test_made_and_kept(self) -> None:
        loop = own_asyncio_loop()
        assert own_asyncio_loop() is loop is thread_loop()
        loop.close()
        assert own_asyncio_loop() is not loop
        own_asyncio_loop().close()
