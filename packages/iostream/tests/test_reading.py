"""Any reads, cancelled or not, over any cut of the data: nothing lost, nothing twice."""

import asyncio

import pytest

from zonda.iostream.testing import stream_pair

pytest.importorskip("hypothesis")

from hypothesis import given, settings
from hypothesis import strategies as st

READS = st.lists(
    st.tuples(
        st.sampled_from(["bytes", "partial", "until", "regex", "into", "into partial"]),
        st.integers(1, 12),
        # What is cancelled: nothing, the read before data comes, its task at the last moment.
        st.sampled_from(["", "", "early", "late"]),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text("ab;", min_size=1, max_size=10).map(str.encode), max_size=20),
    READS,
)
def test_reads_take_the_data_apart(chunks: list[bytes], reads: list[tuple[str, int, str]]) -> None:
    message = b"".join(chunks)

    async def main() -> None:
        stream, peer = stream_pair()
        waiting = list(chunks)
        taken = b""
        for kind, count, cancelled in reads:
            target = bytearray(count)
            future: asyncio.Future[bytes] | asyncio.Future[int]
            if kind == "bytes":
                future = stream.read_bytes(count)
            elif kind == "partial":
                future = stream.read_bytes(count, partial=True)
            elif kind == "until":
                future = stream.read_until(b";a"[: 1 + count % 2])
            elif kind == "regex":
                future = stream.read_until_regex(b"a+b")
            else:
                future = stream.read_into(target, partial=kind == "into partial")

            async def wait(
                future: "asyncio.Future[bytes] | asyncio.Future[int]" = future,
            ) -> bytes | int:
                return await future

            task = asyncio.ensure_future(wait())
            await asyncio.sleep(0)
            if cancelled == "early":
                task.cancel()
            elif cancelled == "late" and not future.done():
                future.add_done_callback(lambda _, task=task: task.cancel())  # type: ignore[misc]
            while not task.done():
                if future.done():
                    await asyncio.sleep(0)
                elif waiting:
                    # From the loop, as in real life: the task that waits may run inside it.
                    asyncio.get_running_loop().call_soon(stream._pulled, waiting.pop(0))
                    await asyncio.sleep(0)
                else:
                    # The rest does not meet this read: it stays for the others.
                    task.cancel()
                    await asyncio.sleep(0)
            if task.cancelled():
                continue
            result = task.result()
            piece = bytes(target[:result]) if isinstance(result, int) else result
            if kind in ("bytes", "into"):
                assert len(piece) == count
            elif kind == "until":
                delimiter = b";a"[: 1 + count % 2]
                assert piece.find(delimiter) == len(piece) - len(delimiter)
            elif kind == "regex":
                assert piece.endswith(b"ab") or b"ab" in piece
            else:
                assert 0 < len(piece) <= count
            taken += piece
        for chunk in waiting:
            stream._pulled(chunk)
        stream.close()
        assert taken + await stream.read_until_close() == message
        peer.close()

    asyncio.run(main())
