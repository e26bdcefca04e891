"""Messages that wait: bounded, in order, by policy."""

import pytest

from zonda.httputil.websocket import LocalError, OutgoingQueue, PreparedMessage
from zonda.httputil.websocket.outgoing import OVERHEAD, Outgoing


def drain(queue: OutgoingQueue) -> list[Outgoing]:
    messages = []
    while (message := queue.take()) is not None:
        messages.append(message)
    return messages


@pytest.mark.parametrize("policy", ["wait", "drop_oldest", "close"])
def test_what_fits_comes_out_in_order(policy: str) -> None:
    queue = OutgoingQueue(policy=policy)
    prepared = PreparedMessage("x")
    messages: list[Outgoing] = ["a", b"b", "", prepared]
    assert all(queue.put(message) for message in messages)
    assert (len(queue), queue.size) == (4, 3 + 4 * OVERHEAD)
    assert drain(queue) == messages
    assert (len(queue), queue.size, queue.dropped) == (0, 0, 0)


@pytest.mark.parametrize(
    ("policy", "taken", "left", "dropped"),
    [
        ("wait", [True, True, False], ["a", "b"], 0),
        ("close", [True, True, False], ["a", "b"], 0),
        ("drop_oldest", [True, True, True], ["b", "c"], 1),
    ],
)
def test_at_the_limit(policy: str, taken: list[bool], left: list[str], dropped: int) -> None:
    queue = OutgoingQueue(2 * (OVERHEAD + 1), policy)
    assert [queue.put(text) for text in "abc"] == taken
    assert drain(queue) == left
    assert queue.dropped == dropped


@pytest.mark.parametrize("policy", ["wait", "drop_oldest", "close"])
def test_one_message_is_always_taken(policy: str) -> None:
    queue = OutgoingQueue(10, policy)
    assert queue.put(b"x" * 1000)
    assert drain(queue) == [b"x" * 1000]


def test_a_large_message_drops_as_many_as_it_needs() -> None:
    queue = OutgoingQueue(10 * OVERHEAD, "drop_oldest")
    for number in range(5):
        queue.put(str(number))
    assert queue.put(b"x" * 7 * OVERHEAD)
    assert drain(queue) == ["4", b"x" * 7 * OVERHEAD]
    assert queue.dropped == 4


def test_empty_messages_are_bounded_too() -> None:
    queue = OutgoingQueue(1000 * OVERHEAD)
    assert sum(queue.put("") for _ in range(5000)) == 1000


def test_text_counts_in_bytes() -> None:
    queue = OutgoingQueue()
    queue.put("é€")
    assert queue.size == 5 + OVERHEAD


def test_clear_gives_up_everything() -> None:
    queue = OutgoingQueue()
    queue.put("a")
    queue.clear()
    assert (queue.take(), queue.size, len(queue)) == (None, 0, 0)


@pytest.mark.parametrize(("limit", "policy"), [(-1, "wait"), (1, "other"), (1, "")])
def test_bad_arguments(limit: int, policy: str) -> None:
    with pytest.raises(ValueError, match="queue"):
        OutgoingQueue(limit, policy)


def test_text_beyond_unicode_is_refused_before_it_waits() -> None:
    queue = OutgoingQueue()
    with pytest.raises(LocalError, match="Unicode"):
        queue.put("\ud800")
    assert len(queue) == 0
