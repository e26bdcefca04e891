"""Close codes and the payload of a Close frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.websocket.closecodes import MAX_REASON, close_payload, may_be_sent

SENT = [*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)]


def test_every_code() -> None:
    assert [code for code in range(-5, 70_000) if may_be_sent(code)] == SENT


@given(st.sampled_from(SENT), st.text(max_size=200))
def test_payload(code: int, reason: str) -> None:
    payload = close_payload(code, reason)
    assert int.from_bytes(payload[:2], "big") == code
    assert len(payload) <= 2 + MAX_REASON
    said = payload[2:].decode()
    assert reason.startswith(said)
    # Cut only where one character more would not fit.
    assert said == reason or len(reason[: len(said) + 1].encode()) > MAX_REASON


def test_no_code() -> None:
    assert close_payload(None, "") == b""


@pytest.mark.parametrize(("code", "reason"), [(None, "x"), (1005, ""), (0, ""), (1000, "\ud800")])
def test_refused(code: int | None, reason: str) -> None:
    with pytest.raises(ValueError):
        close_payload(code, reason)
