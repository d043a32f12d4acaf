"""The exact bytes: canonical JSON by RFC 8785, and the chain over them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit import GENESIS, AuditEvent, canonical, chain_hash, plain

AT = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
SORTED = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]     # RFC 8785, section 3.2.3


def event(**detail):
    return AuditEvent("e1", AT, "ana", "run_finished", ("run:91d4",), detail)


def test_keys_are_in_the_order_of_their_utf_16():
    text = canonical(dict.fromkeys(reversed(SORTED), 1)).decode()
    assert list(json.loads(text)) == SORTED


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("\u20ac$\u000f\nA'B\"\\\\\"/", '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),       # RFC 8785, section 3.2.2.2
        ("\b\t\n\f\r", '"\\b\\t\\n\\f\\r"'),
        ("\x00\x1f\x7f\u2028", '"\\u0000\\u001f\x7f\u2028"'),
        ([], "[]"), ({}, "{}"), (None, "null"), (True, "true"), (False, "false"), (0, "0"), (-7, "-7"),
        (2**53 - 1, "9007199254740991"), ([1, [2, {"b": [], "a": "x"}]], '[1,[2,{"a":"x","b":[]}]]'), ((1, "2"), '[1,"2"]'),
    ],
)  # fmt: skip
def test_canonical_text(value, text):
    assert canonical(value).decode() == text


@pytest.mark.parametrize("value", [0.5, 1.0, float("nan"), 2**53, -(2**53), Decimal("1.5"), AT, b"bytes", {1: "a"}, {"a": {None: 1}}, [0.1], {"a", "b"}, object()])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(TypeError, match="has no canonical form"):
        canonical(value)


@pytest.mark.parametrize("value", ["\ud83d", ["a\udc80"], {"\ud83d": 1}])
def test_half_a_surrogate_pair_is_refused(value):
    with pytest.raises(ValueError, match="surrogate"):
        canonical(value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_text_reads_back_and_is_its_own_canonical_text(value):
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@dataclass(frozen=True)
class Point:
    x: float
    y: int


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"), (1e22, "1e+22"), (float("inf"), None), (np.float64(0.1), "0.1"), (np.int64(3), 3), (np.bool_(True), True), (2**53, "9007199254740992"),
        (Decimal("1.50"), "1.50"), (date(2026, 11, 20), "2026-11-20"), (Path("a/b"), "a/b"), (Colour.RED, "red"), (Point(0.5, 2), {"x": "0.5", "y": 2}),
        ({"b", "a"}, ["a", "b"]), ({1: (2, 3)}, {"1": [2, 3]}), ("a\0b", "a\ufffdb"), (AT.astimezone(timezone(timedelta(hours=5))), "2026-11-20T14:02:00.000000Z"),
    ],
)  # fmt: skip
def test_plain_converts_every_value_of_an_event_into_canonical_types(value, text):
    assert plain(value) == text
    canonical(plain(value))


def test_plain_refuses_what_it_does_not_know():
    with pytest.raises(TypeError, match="object cannot be written into an audit event"):
        plain(object())


def test_a_body_is_limited_to_64_kib():
    remaining = 65_536 - len(event(a="").body().encode())
    assert len(event(a="x" * remaining).body().encode()) == 65_536
    with pytest.raises(ValueError, match="Keep large things as a frame and record its hash"):
        event(a="x" * (remaining + 1)).body()


def test_the_hash_is_of_the_place_the_row_before_and_the_exact_body():
    body = event(net=0.1).body()
    assert chain_hash(7, GENESIS, body) == hashlib.sha256(b"\x00audit/v1\n" + bytes(7) + b"\x07" + bytes.fromhex(GENESIS) + body.encode()).hexdigest()
    assert hashlib.sha256(b"audit-genesis/v1").hexdigest() == GENESIS
    others = {chain_hash(8, GENESIS, body), chain_hash(7, "00" * 32, body), chain_hash(7, GENESIS, body + " ")}
    assert len(others | {chain_hash(7, GENESIS, body)}) == 4


def test_a_bodys_bytes_never_change():
    """Evidence written today must verify in every later version: this text and this hash are constants."""
    body = event(text="a\u20ac\n", whole=5, share=0.25, none=None, at=AT, list=[1, "2"]).body()
    assert body == (
        '{"actor":"ana","detail":{"at":"2026-11-20T14:02:00.000000Z","list":[1,"2"],"none":null,"share":"0.25","text":"a\u20ac\\n","whole":5},'
        '"entities":["run:91d4"],"event_id":"e1","kind":"run_finished","ts":"2026-11-20T14:02:00.000000Z"}'
    )
    assert chain_hash(1, GENESIS, body) == "9a29527e12707a6ce629f18d8b6387ae88f7cb0d3a37ff86fa025f722563d101"
