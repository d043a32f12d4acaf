"""From a learner's parameters to its fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from domain.errors import BadRequest
from domain.models.base import Samples, Watch
from domain.models.levels import spread_of
from domain.models.network.fitted import FittedNetwork
from domain.models.network.fitting import Pace, fit, single_thread
from domain.models.network.layers import network_of


def learnt(shape: Mapping[str, Any], heads: Mapping[str, Mapping[str, Any]], head_name: str, outputs: tuple[str, ...], pace: Pace, device: str,
           train: Samples, validation: Samples, seed: int, watch: Watch) -> FittedNetwork:  # fmt: skip
    """The fitted network. ``shape``: kind, bars, width, layers, attention. ``heads``: task, outputs, levels of each. ``device``: auto, cpu or gpu."""
    where = placed(device)
    design = dict(shape) | dict(
        columns=train.matrix.shape[1], heads={name: dict(head) for name, head in heads.items()}, head=head_name, outputs=list(outputs), seed=seed, spread=spread_of(train.y),
        device=where, reproducible=where == "cpu",
    )  # fmt: skip
    network = network_of(design)
    with single_thread():
        fit(network, design, train, validation, pace, seed, watch, where)
    return FittedNetwork(network, design)


def warm() -> None:
    """Let torch import what its optimisers need, which it puts off to the first of them."""
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])


def placed(device: str) -> str:
    """``cuda`` where a GPU is wanted and there is one."""
    if device == "gpu" and not torch.cuda.is_available():
        raise BadRequest("device is gpu and this computer has none that torch can use; set device to auto or cpu")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def head_of(train: Samples) -> dict[str, Any]:
    """The head for the labels of ``train``: a number, a probability or one of each class."""
    return dict(task=train.task, outputs=len(train.classes) if train.task == "classes" else 1, levels=[])


def outputs_of(train: Samples) -> tuple[str, ...]:
    """Names of its outputs."""
    return tuple(f"p_{name}" for name in train.classes) if train.task == "classes" else ("p",) if train.task == "binary" else ("value",)
