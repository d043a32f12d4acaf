"""The loop that fits a network: batches gathered from the shared matrix, early stopping, a stop between any two batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from domain.errors import BadRequest
from domain.models.base import Samples, Watch
from domain.models.network.layers import LEAST_STEP, Head, Network, head_name

STEPS, PRODUCTS = 4_096, 300e6        # rows of history, and products, that go through at once, at most: some tenths of a second, between which a stop takes effect
ROUND = 200         # batches, at most, between two looks at the validation part
CHUNK = 65_536      # rows at a time where moments of columns are summed
LARGEST = 1.0       # norm of the gradient of a batch


@dataclass(frozen=True)
class Pace:
    """``batch``: samples of a step. ``epochs``: passes over the training part, at most. ``patience``: rounds without a lower validation loss, 0 for
    any number."""

    batch: int
    rate: float
    epochs: int
    patience: int
    decay: float


@contextmanager
def single_thread() -> Iterator[None]:
    """Torch on one thread: sums have one order, so that the same numbers come out everywhere."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def gathered(batch: Samples, bars: int) -> np.ndarray:
    """float32: the samples' own rows, or their windows of history; of a batch, never of all of them."""
    return batch.rows() if bars == 1 else batch.window(bars)


def prepare(network: Network, design: dict[str, Any], train: Samples, seed: int) -> None:
    """First weights from ``seed`` alone, moments of the inputs and first outputs from the training part."""
    draws = np.random.default_rng(seed)
    with torch.no_grad():
        for name, weights in network.named_parameters():
            if weights.dim() > 1:
                bound = np.sqrt(3.0 / weights.shape[1])
                weights.copy_(torch.from_numpy(draws.uniform(-bound, bound, tuple(weights.shape)).astype(np.float32)))
            elif "norm" not in name and not name.endswith(("before.weight", "after.weight")):
                weights.zero_()
            if ".bias_ih" in name:      # an LSTM remembers at first: Jozefowicz, Zaremba and Sutskever (2015)
                weights[len(weights) // 4 : len(weights) // 2] = 1.0
        mean, deviation = moments(train)
        network.inputs.mean.copy_(torch.from_numpy(mean))
        network.inputs.inverse.copy_(torch.from_numpy(np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)))
    for name in design["heads"]:
        y = labels_of(train, name, design)
        known = np.isfinite(y)
        begin(network.head(name), y[known], train.weight[known])


def moments(train: Samples) -> tuple[np.ndarray, np.ndarray]:
    """float32 mean and deviation of each column over the training rows; missing values and infinite ones are left out."""
    columns = train.matrix.shape[1]
    count, total, squares = np.zeros(columns), np.zeros(columns), np.zeros(columns)
    for begin_at in range(0, len(train), CHUNK):
        rows = train.matrix[train.at[begin_at : begin_at + CHUNK]].astype(np.float64)
        known = np.isfinite(rows)
        rows[~known] = 0.0
        count += known.sum(axis=0)
        total += rows.sum(axis=0)
    mean = np.divide(total, count, out=np.zeros(columns), where=count > 0)
    for begin_at in range(0, len(train), CHUNK):
        rows = train.matrix[train.at[begin_at : begin_at + CHUNK]].astype(np.float64) - mean
        rows[~np.isfinite(rows)] = 0.0
        squares += (rows**2).sum(axis=0)
    deviation = np.sqrt(np.divide(squares, count, out=np.zeros(columns), where=count > 0))
    deviation[deviation <= 1e-7 * np.abs(mean)] = 0.0       # a constant column, but for rounding
    return mean.astype(np.float32), deviation.astype(np.float32)


def labels_of(samples: Samples, head: str, design: dict[str, Any]) -> np.ndarray:
    """float64 labels of a head: those of the head to be fitted, or others of the same spans, NaN where there are none."""
    if head == head_name(design):
        return samples.y
    return samples.beside.get(head, np.full(len(samples), np.nan))


def begin(head: Head, y: np.ndarray, weight: np.ndarray) -> None:
    """The head before anything is learnt: the labels' mean, frequencies or quantiles."""
    outputs = head.line.out_features
    bias = np.zeros(outputs)
    if len(y) and head.task == "binary":
        share = np.clip(np.average(y, weights=weight), 1e-3, 1 - 1e-3)
        bias[:] = np.log(share / (1 - share))
    elif len(y) and head.task == "classes":
        bias = np.log(np.maximum(np.bincount(y.astype(np.int64), weights=weight, minlength=outputs) / weight.sum(), 1e-3))
    elif len(y):
        mean = np.average(y, weights=weight)
        scale = np.sqrt(np.average((y - mean) ** 2, weights=weight))
        scale = scale if scale > 1e-9 * abs(mean) else 0.0
        with torch.no_grad():
            head.mean.fill_(mean)
            head.scale.fill_(scale)
        if head.task == "quantiles":
            z = np.quantile((y - mean) / (scale or 1.0), head.levels.numpy().astype(np.float64))
            bias = np.concatenate([z[:1], np.log(np.expm1(np.maximum(np.diff(z), LEAST_STEP)))])
    head.start(torch.from_numpy(bias.astype(np.float32)))


def fit(network: Network, design: dict[str, Any], train: Samples, validation: Samples, pace: Pace, seed: int, watch: Watch, device: str) -> None:
    """Fit ``network`` in place and leave it with the weights of its lowest loss on ``validation`` (of its last round where that is empty)."""
    watch(0.0)
    prepare(network, design, train, seed)
    network.to(device)
    steps = torch.optim.AdamW(network.parameters(), lr=pace.rate, weight_decay=pace.decay)
    batches = -(-len(train) // pace.batch)
    every = min(batches, ROUND)
    rounds = max(1, batches * pace.epochs // every)
    order = shuffled(len(train), pace.batch, seed)
    lowest, waited, best = np.inf, 0, copied(network)
    for number in range(rounds):
        for batch in range(every):
            step(network, design, train, next(order), steps, watch, (number + batch / every) / rounds, device)
        loss = loss_on(network, design, validation if len(validation) else train, watch, (number + 1) / rounds, device)
        watch((number + 1) / rounds, loss)
        if loss < lowest or (np.isfinite(loss) and not len(validation)):
            lowest, waited, best = loss, 0, copied(network)
        elif (waited := waited + 1) >= pace.patience > 0:
            break
    if not np.isfinite(lowest):
        raise BadRequest("the network's loss is no number after any round; lower its learning rate, or look for columns with extreme values")
    network.to("cpu")
    network.load_state_dict(best)
    network.train(False)


def shuffled(count: int, batch: int, seed: int) -> Iterator[np.ndarray]:
    """Rows of one batch after another, each pass over all of them in an order of its own."""
    draws = np.random.default_rng([seed, 1])
    while True:
        order = draws.permutation(count)
        yield from (order[first : first + batch] for first in range(0, count, batch))


def step(network: Network, design: dict[str, Any], train: Samples, rows: np.ndarray, steps: torch.optim.Optimizer, watch: Watch, share: float, device: str) -> None:
    """One step down the gradient of a batch, which goes through in pieces."""
    steps.zero_grad(set_to_none=True)
    total = float(train.weight[rows].sum()) or 1.0
    for piece in pieces(rows, design):
        watch(share)
        (weighted_loss(network, design, train, piece, device) / total).backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST)
    steps.step()


def weighted_loss(network: Network, design: dict[str, Any], samples: Samples, rows: np.ndarray, device: str) -> Tensor:
    """Sum of the weighted losses of all heads; a label that is missing counts nothing."""
    batch = samples.take(rows)
    state = network.state(torch.from_numpy(gathered(batch, design["bars"])).to(device))
    weight = torch.from_numpy(batch.weight.astype(np.float32)).to(device)
    total = torch.zeros((), device=device)
    for name in design["heads"]:
        y = labels_of(batch, name, design)
        known = np.isfinite(y)
        if known.any():
            losses = network.head(name).loss(state, torch.from_numpy(np.where(known, y, 0.0).astype(np.float32)).to(device))
            total = total + (losses * weight * torch.from_numpy(known.astype(np.float32)).to(device)).sum()
    return total


def loss_on(network: Network, design: dict[str, Any], samples: Samples, watch: Watch, share: float, device: str) -> float:
    """Mean weighted loss of samples, nothing learnt; of the first 20,000 spread over them where there are more."""
    rows = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), 20_000)).astype(np.int64))
    total = 0.0
    with torch.no_grad():
        for piece in pieces(rows, design):
            watch(share)
            total += float(weighted_loss(network, design, samples, piece, device))
    return total / (float(samples.weight[rows].sum()) or 1.0)


def pieces(rows: np.ndarray, design: dict[str, Any]) -> Iterator[np.ndarray]:
    """Rows that go through at once, of as many as that."""
    size = max(1, min(STEPS // design["bars"], int(PRODUCTS / products_of(design))))
    return (rows[first : first + size] for first in range(0, len(rows), size))


def products_of(design: dict[str, Any]) -> int:
    """Products of one sample's way through the trunk, roughly: those of its weights at every bar, and of attention between bars."""
    bars, columns, width, layers = (design[name] for name in ("bars", "columns", "width", "layers"))
    if design["kind"] == "recurrent":
        return int(bars * 4 * width * (columns + width + (layers - 1) * 2 * width))
    if design["kind"] == "dense":
        return int(width * (columns + (layers - 1) * width))
    return int(bars * width * (columns + layers * (8 * width + 2 * bars)))


def copied(network: Network) -> dict[str, Tensor]:
    return {name: values.detach().cpu().clone() for name, values in network.state_dict().items()}
