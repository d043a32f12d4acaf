"""Models written as ONNX: input ``rows`` (float32, n × columns), output ``outputs`` (float32, n × outputs).

Trees are written here and not by a converter, since the usual ones round thresholds to the nearest float32 (rows beside a threshold then take the
other side) and lose the way of NaN in forests. A threshold is rounded down: for a float32 x, x ≤ t is x ≤ the largest float32 that is not above t.
Thresholds and leaves are stored as float64, and summed as such; only the output is float32.

Where NaN goes left, ONNX Runtime looks at a flag in every node. Here the split is turned over instead, to ask of −x what it asked of x: a comparison with
NaN is false, so NaN takes the other side, as it should, without a flag; and the other side is the one that lies next in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from domain.models.trees import Trees

IR, OPSET, ML = 9, 17, 3
PRODUCER = "tidemark"
Link = str


def rounded_down(thresholds: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above each number.

    >>> rounded_down(np.array([0.1, 0.5, 1e308, np.inf])).tolist()
    [0.09999999403953552, 0.5, 3.4028234663852886e+38, inf]
    """
    with np.errstate(over="ignore"):
        near = np.asarray(thresholds, dtype=np.float64).astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


def trees(ensembles: Sequence[Trees], outputs: Sequence[str], link: Link = "identity") -> bytes:
    """One ensemble an output, or one for all of them."""
    from onnx.helper import make_node

    width, columns = sum(ensemble.outputs for ensemble in ensembles), ensembles[0].columns
    both = any((ensemble.missing_left & (ensemble.left >= 0)).any() for ensemble in ensembles)
    beside = [make_node("Neg", ["exact"], ["turned"]), make_node("Concat", ["exact", "turned"], ["both"], axis=1)] if both else []
    attributes = _attributes([turned(ensemble) for ensemble in ensembles] if both else ensembles)
    sums = make_node("TreeEnsembleRegressor", ["both" if both else "exact"], ["sums"], domain="ai.onnx.ml", n_targets=width, **attributes)
    return model_of([cast("rows", "exact"), *beside, sums, _link("sums", "outputs", link)], [], [columns], outputs)


def turned(trees: Trees) -> Trees:
    """The same trees over the columns and then their negatives, where NaN goes right in every node: x ≤ t is not (−x ≤ the float32 below −t)."""
    over, down = trees.missing_left & (trees.left >= 0), rounded_down(trees.threshold).astype(np.float32)
    with np.errstate(over="ignore"):
        below = np.where(np.isposinf(down), np.float32(np.nan), np.nextafter(-down, np.float32(-np.inf)))      # all go left: nothing is at most NaN
    return replace(
        trees, columns=2 * trees.columns, missing_left=np.zeros_like(trees.missing_left), feature=np.where(over, trees.feature + trees.columns, trees.feature),
        threshold=np.where(over, below, trees.threshold), left=np.where(over, trees.right, trees.left), right=np.where(over, trees.left, trees.right),
    )  # fmt: skip


def line(centre: np.ndarray, scale: np.ndarray, coefficients: np.ndarray, bias: np.ndarray, link: Link, clip: float, outputs: Sequence[str]) -> bytes:
    """Standardised, clipped, NaN as 0, multiplied and linked, in float64."""
    from onnx.helper import make_node
    from onnx.numpy_helper import from_array

    constants = dict(centre=centre, scale=scale, low=np.array(-clip), high=np.array(clip), zero=np.array(0.0), weights=coefficients.T, bias=bias)
    nodes = [
        cast("rows", "exact"),
        make_node("Sub", ["exact", "centre"], ["centred"]),
        make_node("Div", ["centred", "scale"], ["wide"]),
        make_node("IsNaN", ["wide"], ["unknown"]),
        make_node("Where", ["unknown", "zero", "wide"], ["whole"]),
        make_node("Clip", ["whole", "low", "high"], ["standard"]),
        make_node("MatMul", ["standard", "weights"], ["products"]),
        make_node("Add", ["products", "bias"], ["sums"]),
        _link("sums", "linked", link),
        cast("linked", "outputs", to="FLOAT"),
    ]
    initial = [from_array(np.ascontiguousarray(array, dtype=np.float64), name) for name, array in constants.items()]
    return model_of(nodes, initial, [len(centre)], outputs)


def constant(values: np.ndarray, columns: int, outputs: Sequence[str]) -> bytes:
    """The same values for each row."""
    from onnx.helper import make_node
    from onnx.numpy_helper import from_array

    initial = [from_array(values.astype(np.float32)[None, :], "values"), from_array(np.array([0]), "first"), from_array(np.array([1]), "once")]
    nodes = [
        make_node("Shape", ["rows"], ["shape"]),
        make_node("Gather", ["shape", "first"], ["count"]),
        make_node("Concat", ["count", "once"], ["times"], axis=0),
        make_node("Tile", ["values", "times"], ["outputs"]),
    ]
    return model_of(nodes, initial, [columns], outputs)


def _attributes(ensembles: Sequence[Trees]) -> dict[str, Any]:
    """The arrays of TreeEnsembleRegressor. Trees are numbered through; each leaf adds to the targets of its ensemble."""
    from onnx.numpy_helper import from_array

    parts: dict[str, list[np.ndarray]] = {}
    tree_count = target = 0
    for ensemble in ensembles:
        _add(parts, ensemble, tree_count, target)
        tree_count, target = tree_count + len(ensemble.roots), target + ensemble.outputs
    arrays = {name: np.concatenate(pieces) for name, pieces in parts.items()}
    modes = np.where(arrays.pop("leaf"), "LEAF", "BRANCH_LEQ").tolist()
    floats = {f"{name}_as_tensor": from_array(arrays.pop(name), name) for name in ("nodes_values", "target_weights")}
    base = from_array(np.concatenate([ensemble.base for ensemble in ensembles]), "base_values")
    return dict({name: array.tolist() for name, array in arrays.items()}, nodes_modes=modes, base_values_as_tensor=base, aggregate_function="SUM", **floats)


def _add(parts: dict[str, list[np.ndarray]], ensemble: Trees, first_tree: int, first_target: int) -> None:
    leaf = ensemble.left < 0
    tree, place = ensemble.tree_of(), ensemble.place_in_tree()
    at = np.flatnonzero(leaf)
    arrays = dict(
        leaf=leaf,
        nodes_treeids=tree + first_tree,
        nodes_nodeids=place,
        nodes_featureids=np.where(leaf, 0, ensemble.feature),
        nodes_values=np.where(leaf, 0.0, rounded_down(ensemble.threshold)),
        nodes_truenodeids=np.where(leaf, 0, place[ensemble.left]),
        nodes_falsenodeids=np.where(leaf, 0, place[ensemble.right]),
        nodes_missing_value_tracks_true=np.where(leaf, 0, ensemble.missing_left),
        target_treeids=np.repeat(tree[at] + first_tree, ensemble.outputs),
        target_nodeids=np.repeat(place[at], ensemble.outputs),
        target_ids=np.tile(np.arange(ensemble.outputs) + first_target, len(at)),
        target_weights=ensemble.value[at].ravel(),
    )
    for name, array in arrays.items():
        kind = np.float64 if name in ("nodes_values", "target_weights") else bool if name == "leaf" else np.int64
        parts.setdefault(name, []).append(array.astype(kind))


def _link(source: str, to: str, link: Link) -> Any:
    from onnx.helper import make_node

    return make_node({"sigmoid": "Sigmoid", "softmax": "Softmax", "identity": "Identity"}[link], [source], [to])


def cast(source: str, to_name: str, to: str = "DOUBLE") -> Any:
    from onnx import TensorProto
    from onnx.helper import make_node

    return make_node("Cast", [source], [to_name], to=getattr(TensorProto, to))


def model_of(nodes: Sequence[Any], initial: Sequence[Any], row: Sequence[int], outputs: Sequence[str]) -> bytes:
    """``row``: the shape of one row, columns, or bars and columns."""
    from onnx import TensorProto
    from onnx.checker import check_model
    from onnx.helper import make_graph, make_model, make_opsetid, make_tensor_value_info, set_model_props

    rows = make_tensor_value_info("rows", TensorProto.FLOAT, ["n", *row])
    results = make_tensor_value_info("outputs", TensorProto.FLOAT, ["n", len(outputs)])
    graph = make_graph(list(nodes), "model", [rows], [results], initializer=list(initial))
    model = make_model(graph, opset_imports=[make_opsetid("", OPSET), make_opsetid("ai.onnx.ml", ML)], ir_version=IR, producer_name=PRODUCER)
    set_model_props(model, dict(outputs=",".join(outputs)))
    check_model(model)
    return model.SerializeToString(deterministic=True)
