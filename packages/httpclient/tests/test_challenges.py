"""Reading WWW-Authenticate fields: a row is what servers send and what it means."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httpclient.challenges import Challenge, parse_challenges

BASIC = Challenge("basic", {"realm": "x"})

CASES: list[tuple[list[str], list[Challenge]]] = [
    ([], []),
    ([""], []),
    ([" , ,"], []),
    (["Basic realm=x"], [BASIC]),
    (['BASIC REALM="x"'], [BASIC]),
    (['Basic realm = "x" '], [BASIC]),
    (["Basic   realm=x,"], [BASIC]),
    (["Basic realm=x, realm=y"], [BASIC]),
    (["Basic realm=x", "Basic realm=x"], [BASIC, BASIC]),
    (["Basic realm=x, Basic realm=x"], [BASIC, BASIC]),
    (["Negotiate"], [Challenge("negotiate")]),
    (["Negotiate, Basic realm=x"], [Challenge("negotiate"), BASIC]),
    (["Basic realm=x, NTLM"], [BASIC, Challenge("ntlm")]),
    (["Negotiate YWJj="], [Challenge("negotiate", {}, "YWJj=")]),
    (["Negotiate YWJj==, Basic realm=x"], [Challenge("negotiate", {}, "YWJj=="), BASIC]),
    (['New a="b, c=\\"d\\"", e=f'], [Challenge("new", {"a": 'b, c="d"', "e": "f"})]),
    (['New a="\\\\"'], [Challenge("new", {"a": "\\"})]),
    (['New a=""'], [Challenge("new", {"a": ""})]),
    # RFC 9110 §11.6.1
    (
        [
            'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
        ],
        [
            Challenge("basic", {"realm": "simple"}),
            Challenge("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
        ],
    ),
    (['"Basic" realm=x'], []),
    (["=x"], []),
]


@pytest.mark.parametrize(("values", "challenges"), CASES)
def test_what_a_field_means(values: list[str], challenges: list[Challenge]) -> None:
    assert parse_challenges(values) == challenges


def test_a_broken_challenge_spoils_neither_those_before_nor_other_fields() -> None:
    values = ['Basic realm=x, Digest realm="never closed', "Basic realm=x"]
    found = parse_challenges(values)
    assert found[0] == found[-1] == BASIC
    assert all(each.parameters.get("realm") in (None, "x") for each in found)


@given(st.lists(st.text(alphabet='Bd =,"\\x\t;/', max_size=30), max_size=3))
def test_anything_is_read_without_an_error(values: list[str]) -> None:
    for challenge in parse_challenges(values):
        assert challenge.scheme


@pytest.mark.parametrize(
    "text",
    [
        "Basic " + 'a="' * 30_000,
        "a," * 60_000,
        "a " * 60_000,
        "Basic a=" + '"' + "\\" * 100_000,
        "Basic " + "a=b," * 30_000,
        "x" * 200_000,
        "Basic " + "=" * 100_000,
        "Basic " + "a= " * 30_000,
    ],
    ids=lambda text: text[:12],
)
def test_cost_is_linear(text: str) -> None:
    start = time.process_time()
    parse_challenges([text])
    assert time.process_time() - start < 0.5
