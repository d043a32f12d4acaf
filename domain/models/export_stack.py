"""A stack as one ONNX model: its members' graphs beside each other, what each says as float64 log-odds, and the linear model over them.

A graph that was written here is compared before its last rounding to float32, so that the log-odds of a probability near 0 or 1 lose nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from domain.models.export import PRODUCER, cast, model_of

LAST = np.iinfo(np.int64).max


def stacked(members: Sequence[tuple[bytes, int]], bars: int, line: bytes, task: str, edge: float, outputs: Sequence[str]) -> bytes:
    """``members``: the ONNX of each and how many bars it looks at. ``bars``: those of the whole. ``edge``: least distance of a probability from 0 and 1. ``line``: the ONNX of the linear model."""
    from onnx.helper import make_node

    nodes, initial, results = list[Any](), list[Any](), list[str]()
    for number, (content, own) in enumerate(members):
        graph, exact = _graph_of(content, f"member{number}_")
        nodes += _latest(graph.input[0].name, own, bars, initial)
        nodes += graph.node
        initial += graph.initializer
        score, further = _scores(exact, task, edge, initial)
        nodes += further
        results.append(score)
    over, _ = _graph_of(line, "line_", exact=False)
    nodes += [make_node("Concat", results, [over.input[0].name], axis=1), *over.node, make_node("Identity", [over.output[0].name], ["outputs"])]
    row = [_columns(members[0][0])] if bars == 1 else [bars, _columns(members[0][0])]
    return model_of(nodes, [*initial, *over.initializer], row, outputs)


def _graph_of(content: bytes, prefix: str, exact: bool = True) -> tuple[Any, str]:
    """The graph with its names under a prefix, and the name of what it says as float64."""
    from onnx import load_from_string
    from onnx.compose import add_prefix

    model = add_prefix(load_from_string(content), prefix)
    graph, name = model.graph, f"{prefix}exactly"
    if not exact:
        return graph, graph.output[0].name
    last = graph.node[-1]
    if model.producer_name == PRODUCER and last.op_type == "Cast":
        source = last.input[0]
        del graph.node[-1]
        return graph, source
    if model.producer_name == PRODUCER and last.op_type in ("Sigmoid", "Softmax"):
        graph.node.insert(len(graph.node) - 1, cast(last.input[0], name))
        last.input[0] = name
        return graph, last.output[0]
    graph.node.append(cast(graph.output[0].name, name))
    return graph, name


def _latest(to: str, own: int, bars: int, initial: list[Any]) -> list[Any]:
    """The last ``own`` bars of each window under the name ``to``; the last row alone where a member looks at one."""
    from onnx.helper import make_node
    from onnx.numpy_helper import from_array

    if bars == own:
        return [make_node("Identity", ["rows"], [to])]
    if own == 1:
        initial.append(from_array(np.array(-1), f"{to}_last"))
        return [make_node("Gather", ["rows", f"{to}_last"], [to], axis=1)]
    edges = dict(first=[-own], last=[LAST], axis=[1])
    initial += [from_array(np.array(values, np.int64), f"{to}_{name}") for name, values in edges.items()]
    return [make_node("Slice", ["rows", *(f"{to}_{name}" for name in edges)], [to])]


def _scores(source: str, task: str, edge: float, initial: list[Any]) -> tuple[str, list[Any]]:
    """float32, log-odds of probabilities, as ``FittedStack`` has them."""
    from onnx.helper import make_node
    from onnx.numpy_helper import from_array

    score = f"{source}_score"
    if task == "number":
        return score, [cast(source, score, to="FLOAT")]
    names = {name: f"{source}_{name}" for name in ("low", "high", "one", "clipped", "other", "odds", "log")}
    initial += [from_array(np.array(value), names[name]) for name, value in dict(low=edge, high=1 - edge, one=1.0).items()]
    return score, [
        make_node("Clip", [source, names["low"], names["high"]], [names["clipped"]]),
        make_node("Sub", [names["one"], names["clipped"]], [names["other"]]),
        make_node("Div", [names["clipped"], names["other"]], [names["odds"]]),
        make_node("Log", [names["odds"]], [names["log"]]),
        cast(names["log"], score, to="FLOAT"),
    ]


def _columns(content: bytes) -> int:
    from onnx import load_from_string

    return int(load_from_string(content).graph.input[0].type.tensor_type.shape.dim[-1].dim_value)
