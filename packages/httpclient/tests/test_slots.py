"""Slots: limits overall and per host, and whose turn it is."""

import pytest

from zonda.httpclient.slots import Slots


class Waiter:
    def __init__(self, name: str, order: list[str]) -> None:
        self.name = name
        self.order = order

    def slot_granted(self) -> None:
        self.order.append(self.name)


def queue(slots: Slots, hosts: str) -> list[str]:
    """Ask for a slot for each host, a letter; who got one later is in the list that is returned."""
    order: list[str] = []
    for number, host in enumerate(hosts):
        if slots.take(host, Waiter(f"{host}{number}", order)):
            order.append(f"{host}{number}")
    return order


def test_no_more_than_there_are() -> None:
    slots = Slots(2)
    order = queue(slots, "aab")
    assert order == ["a0", "a1"]
    assert (slots.in_use, slots.waiting) == (2, 1)
    slots.give_back("a")
    assert order == ["a0", "a1", "b2"]


def test_hosts_take_turns() -> None:
    slots = Slots(1)
    order = queue(slots, "aaaabbc")
    for _ in range(6):
        slots.give_back(order[-1][0])
    assert order == ["a0", "b4", "c6", "a1", "b5", "a2", "a3"]


def test_the_limit_of_one_host_does_not_hold_up_another() -> None:
    slots = Slots(3, per_host=1)
    order = queue(slots, "aaab")
    assert order == ["a0", "b3"]
    slots.give_back("a")
    assert order == ["a0", "b3", "a1"]


def test_who_comes_later_does_not_overtake() -> None:
    slots = Slots(2, per_host=1)
    order = queue(slots, "aa")
    late = Waiter("late", order)
    assert not slots.take("a", late)
    slots.give_back("a")
    slots.give_back("a")
    assert order == ["a0", "a1", "late"]


def test_leaving_the_queue() -> None:
    slots = Slots(1)
    order = queue(slots, "a")
    first, second = Waiter("first", order), Waiter("second", order)
    assert not slots.take("b", first)
    assert not slots.take("b", second)
    slots.leave("b", first)
    slots.leave("b", first)
    slots.leave("x", first)
    slots.give_back("a")
    assert order == ["a0", "second"]
    slots.give_back("b")
    assert (slots.in_use, slots.waiting) == (0, 0)


def test_a_thousand_that_give_back_at_once_do_not_go_deep() -> None:
    slots = Slots(1)
    assert slots.take("a", Waiter("", []))
    count = 0

    class Brief:
        def slot_granted(self) -> None:
            nonlocal count
            count += 1
            slots.give_back("a")

    for _ in range(5000):
        slots.take("a", Brief())
    slots.give_back("a")
    assert count == 5000
    assert slots.in_use == 0


@pytest.mark.parametrize(("total", "per_host"), [(0, None), (1, 0), (-1, None)])
def test_settings_that_are_none(total: int, per_host: int | None) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Slots(total, per_host)
