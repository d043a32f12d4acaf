"""A fitted linear model: standardised columns, a sum of products, and a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from domain.models.files import sealed
from domain.models.rows import checked_rows

Link = Literal["identity", "sigmoid", "softmax"]
CLIP = 10.0     # standard deviations at which a value counts no further
BLOCK = 16_384  # rows at once


@dataclass(frozen=True)
class Line:
    """score = bias + Σ coefficient × clip((x − centre) / scale, ±10); a NaN counts as the centre. ``coefficients``: outputs × columns."""

    learner: str
    outputs: tuple[str, ...]
    centre: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray
    bias: np.ndarray
    link: Link
    spread: float = 1.0
    bars: int = 1

    @property
    def columns(self) -> int:
        return len(self.centre)

    def standard(self, rows: np.ndarray) -> np.ndarray:
        """float64 n × columns, 0 where nothing is known."""
        rows = checked_rows(rows, self.columns)
        values = np.empty(rows.shape)
        for start in range(0, len(rows), BLOCK):
            z = (rows[start : start + BLOCK] - self.centre) / self.scale
            values[start : start + BLOCK] = np.where(np.isnan(z), 0.0, np.clip(z, -CLIP, CLIP))
        return values

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """float64 n × outputs, before the link. Summed row by row, so that a row's score does not depend on those beside it."""
        z = self.standard(rows)
        return np.stack([(z * coefficients).sum(axis=1) + bias for coefficients, bias in zip(self.coefficients, self.bias, strict=True)], axis=1)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return linked(self.scores(rows), self.link)

    def score(self, rows: np.ndarray) -> np.ndarray:
        """What ``contributions`` add up to: the first output before the link (log-odds of a probability)."""
        return self.scores(rows)[:, 0]

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        z = self.standard(rows)
        return np.concatenate([z * self.coefficients[0], np.full((len(z), 1), self.bias[0])], axis=1)

    def files(self) -> dict[str, bytes]:
        arrays = {name: getattr(self, name).tolist() for name in ("centre", "scale", "coefficients", "bias")}
        return sealed(self.learner, dict(arrays, form="line", outputs=self.outputs, link=self.link, spread=self.spread, columns=self.columns))

    def onnx(self) -> bytes:
        from domain.models.export import line

        return line(self.centre, self.scale, self.coefficients, self.bias, self.link, CLIP, self.outputs)


def line_from(learner: str, facts: Mapping[str, Any]) -> Line:
    """The model whose facts ``files`` wrote."""
    centre, scale, coefficients, bias = (np.array(facts[name], dtype=np.float64) for name in ("centre", "scale", "coefficients", "bias"))
    return Line(learner, tuple(facts["outputs"]), centre, scale, coefficients, bias, facts["link"], facts["spread"])


def standardisation(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column over what is known of it; 0 and 1 where nothing is, 1 where nothing varies."""
    blocks = [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
    count = np.maximum(sum(np.isfinite(block).sum(axis=0) for block in blocks), 1)
    centre = sum(_known(block, 0.0).sum(axis=0) for block in blocks) / count
    scale = np.sqrt(sum((_known(block, centre) ** 2).sum(axis=0) for block in blocks) / count)
    return centre, np.where(scale > 1e-12 * np.maximum(np.abs(centre), 1e-300), scale, 1.0)


def _known(rows: np.ndarray, centre: np.ndarray | float) -> np.ndarray:
    """float64 distances from the centre, 0 where nothing is known."""
    return np.where(np.isfinite(rows), rows - np.asarray(centre, dtype=np.float64), 0.0)


def linked(scores: np.ndarray, link: Link) -> np.ndarray:
    """
    >>> linked(np.array([[0.0, 0.0]]), "softmax").tolist(), linked(np.array([[0.0]]), "sigmoid").tolist()
    ([[0.5, 0.5]], [[0.5]])
    """
    if link == "sigmoid":
        from scipy.special import expit

        return expit(scores)
    if link == "softmax":
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    return scores
