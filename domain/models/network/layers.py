"""Layers of the networks: inputs made comparable, three ways to look at them, and heads in the units of the label."""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

LIMIT = 8.0     # deviations; what lies further out is no more telling, and an infinite number stays a number
LEAST_STEP = 1e-3       # deviations between two levels where labels give none


class Standardised(nn.Module):
    """Columns less their mean, by their deviation, both from training rows; 0 where a value is missing."""

    mean: Tensor
    inverse: Tensor

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("inverse", torch.ones(columns))

    def forward(self, rows: Tensor) -> Tensor:
        scaled = (rows - self.mean) * self.inverse
        return torch.where(torch.isnan(scaled), torch.zeros_like(scaled), scaled).clamp(-LIMIT, LIMIT)


class Dense(nn.Module):
    """Rows through ``layers`` full layers: n × columns -> n × width."""

    def __init__(self, columns: int, width: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(columns if not number else width, width) for number in range(layers))

    def forward(self, rows: Tensor) -> Tensor:
        for layer in self.layers:
            rows = functional.relu(layer(rows))
        return rows


class Recurrent(nn.Module):
    """Windows through an LSTM, its last state: n × bars × columns -> n × width."""

    def __init__(self, columns: int, width: int, layers: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(columns, width, layers, batch_first=True)

    def forward(self, windows: Tensor) -> Tensor:
        return self.lstm(windows)[0][:, -1]


class Attention(nn.Module):
    """One causal block, normalised first: each bar looks at itself and earlier ones. ``last``: only the last bar is wanted."""

    later: Tensor

    def __init__(self, bars: int, width: int, heads: int, last: bool) -> None:
        super().__init__()
        self.heads, self.last = heads, last
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.register_buffer("later", torch.triu(torch.full((bars, bars), -1e9), diagonal=1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.before(x)
        asking, x = (seen[:, -1:], x[:, -1:]) if self.last else (seen, x)
        query, key, value = self._split(self.query(asking)), self._split(self.key(seen)), self._split(self.value(seen))
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        scores = scores if self.last else scores + self.later
        mixed = (torch.softmax(scores, dim=-1) @ value).transpose(1, 2).flatten(2)
        x = x + self.out(mixed)
        return x + self.narrow(functional.relu(self.wide(self.after(x))))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, x.shape[-1] // self.heads)).transpose(1, 2)


class Causal(nn.Module):
    """Windows through causal attention, the last bar's state: n × bars × columns -> n × width."""

    def __init__(self, columns: int, bars: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.enter = nn.Linear(columns, width)
        self.place = nn.Parameter(torch.zeros(bars, width))
        self.blocks = nn.ModuleList(Attention(bars, width, heads, last=number == layers - 1) for number in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, windows: Tensor) -> Tensor:
        x = self.enter(windows) + self.place
        for block in self.blocks:
            x = block(x)
        return self.norm(x[:, -1])


class Head(nn.Module):
    """From a state to forecasts: ``number`` in the label's units, ``binary`` a probability, ``classes`` one each, ``quantiles`` in rising order."""

    mean: Tensor
    scale: Tensor
    levels: Tensor

    def __init__(self, task: str, width: int, outputs: int, levels: tuple[float, ...] = ()) -> None:
        super().__init__()
        self.task, self.line = task, nn.Linear(width, outputs)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("levels", torch.tensor(levels or (0.5,)), persistent=False)

    def forward(self, state: Tensor) -> Tensor:
        raw = self.line(state)
        if self.task == "binary":
            return torch.sigmoid(raw)
        if self.task == "classes":
            return torch.softmax(raw, dim=-1)
        return self.mean + self.scale * (self._rising(raw) if self.task == "quantiles" else raw)

    def loss(self, state: Tensor, y: Tensor) -> Tensor:
        """One loss a sample; those of numbers in deviations of the label."""
        raw = self.line(state)
        if self.task == "binary":
            return functional.binary_cross_entropy_with_logits(raw[:, 0], y, reduction="none")
        if self.task == "classes":
            return functional.cross_entropy(raw, y.long(), reduction="none")
        z = (y - self.mean) / torch.where(self.scale > 0, self.scale, torch.ones_like(self.scale))
        if self.task == "number":
            return (raw[:, 0] - z) ** 2
        over = z[:, None] - self._rising(raw)
        return torch.maximum(self.levels * over, (self.levels - 1.0) * over).mean(dim=1)

    def start(self, bias: Tensor) -> None:
        """Begin at the labels' own frequencies or quantiles."""
        with torch.no_grad():
            self.line.weight.mul_(0.1)
            self.line.bias.copy_(bias)

    @staticmethod
    def _rising(raw: Tensor) -> Tensor:
        return torch.cumsum(torch.cat([raw[:, :1], functional.softplus(raw[:, 1:])], dim=1), dim=1)


class Network(nn.Module):
    """Inputs, a trunk and one head for each label; rows through it give the output of the head ``head``."""

    inputs: Standardised

    def __init__(self, columns: int, trunk: nn.Module, heads: dict[str, Head], head: str) -> None:
        super().__init__()
        self.inputs, self.trunk, self.heads, self.head_name = Standardised(columns), trunk, nn.ModuleDict(heads), head

    def state(self, rows: Tensor) -> Tensor:
        return self.trunk(self.inputs(rows))

    def head(self, name: str) -> Head:
        return cast(Head, self.heads[name])

    def forward(self, rows: Tensor) -> Tensor:
        return self.head(self.head_name)(self.state(rows))


def network_of(design: dict[str, Any]) -> Network:
    """The network that ``design`` describes: ``kind`` dense, recurrent or causal, ``columns``, ``bars``, ``width``, ``layers``, ``attention``,
    ``heads`` (name -> task, outputs, levels) and ``head``, the one whose output counts."""
    columns, width, layers = design["columns"], design["width"], design["layers"]
    if design["kind"] == "dense":
        trunk: nn.Module = Dense(columns, width, layers)
    elif design["kind"] == "recurrent":
        trunk = Recurrent(columns, width, layers)
    else:
        trunk = Causal(columns, design["bars"], width, layers, design["attention"])
    heads = {name: Head(head["task"], width, head["outputs"], tuple(head["levels"])) for name, head in design["heads"].items()}
    return Network(columns, trunk, heads, head_name(design))


def head_name(design: dict[str, Any]) -> str:
    """The head whose output counts; files of earlier releases name it ``asked``."""
    return str(design["head"] if "head" in design else design["asked"])
