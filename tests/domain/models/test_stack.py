"""A stack of learners as one ONNX model."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from domain.models.constant import Constant
from domain.models.forest import Forest
from domain.models.linear import Linear
from domain.models.parity import beside, parity
from domain.models.served import Served
from domain.models.stack import FittedStack, _latest
from tests.domain.models.samples import samples

EVERY = samples("binary", 300)
TRAIN, NONE = EVERY.take(np.arange(200)), EVERY.take(np.arange(0))


def quiet(share: float, loss: float | None = None) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def stack() -> FittedStack:
    members = dict(linear=Linear().fit(TRAIN, NONE, 1, quiet), forest=Forest(trees=5).fit(TRAIN, NONE, 1, quiet), prior=Constant.of("prior", ("p",), [1e-9], len(EVERY.columns)))
    scores = np.log(np.clip(np.concatenate([member.predict(TRAIN.rows()) for member in members.values()], axis=1), 1e-6, 1 - 1e-6) ** -1.0 - 1).astype(np.float32) * -1
    seen = replace(TRAIN, matrix=scores, columns=tuple(members), at=np.arange(len(TRAIN)), first=np.zeros(len(TRAIN), np.int64))
    return FittedStack(members, Linear().fit(seen, NONE, 1, quiet), "binary")


def test_as_onnx_a_stack_says_the_same_beside_every_threshold_of_its_trees_and_where_columns_are_unknown(stack):
    assert stack.splits() == stack.members["forest"].splits() != []
    difference, holds = parity(stack, EVERY.rows(), EVERY.y)
    assert holds, difference


def test_a_member_without_onnx_leaves_the_stack_without(stack):
    silent: Any = SimpleNamespace(bars=1, onnx=lambda: None, predict=lambda rows: np.full((len(rows), 1), 0.5))
    assert FittedStack({**stack.members, "prior": silent}, stack.line, "binary").onnx() is None


def test_a_member_that_looks_at_fewer_bars_sees_the_latest_of_a_window(stack):
    """One member of three bars and one of one, in ONNX as in Python."""
    from onnx.helper import make_node

    from domain.models.export import cast, model_of

    width = len(EVERY.columns)
    first = [make_node("Gather", ["rows", "row"], ["then"], axis=1), make_node("Gather", ["then", "column"], ["value"], axis=1), cast("value", "exact"), cast("exact", "outputs", to="FLOAT")]
    from onnx.numpy_helper import from_array

    for bars in (3, 2):
        content = model_of(first, [from_array(np.array(0), "row"), from_array(np.array([0]), "column")], [bars, width], ["p"])
        older: Any = SimpleNamespace(bars=bars, onnx=lambda content=content: content, predict=lambda rows: rows[:, 0, :1].astype(np.float64))
        both = FittedStack({"linear": stack.members["linear"], "older": older, "window": SimpleNamespace(bars=3, onnx=_middle(width), predict=lambda rows: np.full((len(rows), 1), 0.25))}, stack.line, "binary")
        rows = np.abs(EVERY.window(3)[5:40]) % 1
        assert both.bars == 3 and _latest(rows, 2).shape[1] == 2
        np.testing.assert_allclose(Served(both.onnx() or b"", 1).predict(rows), both.predict(rows), atol=1e-6)


def _middle(width: int) -> Any:
    from onnx.helper import make_node
    from onnx.numpy_helper import from_array

    from domain.models.export import model_of

    initial = [from_array(np.array(0), "row"), from_array(np.array([0]), "column"), from_array(np.float32(0.0), "zero"), from_array(np.float32(0.25), "quarter")]
    nodes = [
        make_node("Gather", ["rows", "row"], ["then"], axis=1), make_node("Gather", ["then", "column"], ["value"], axis=1),
        make_node("Mul", ["value", "zero"], ["nothing"]), make_node("Add", ["nothing", "quarter"], ["outputs"]),
    ]  # fmt: skip
    return lambda: model_of(nodes, initial, [3, width], ["p"])


def test_thresholds_of_trees_are_tried_in_the_last_bar_of_a_sequence():
    windows = np.zeros((4, 3, 2), np.float32)
    tried = beside(windows, [(1, 0.5)])
    assert np.isclose(tried[:, -1, 1], 0.5).all() and not tried[:, :-1].any() and not tried[:, -1, 0].any()
