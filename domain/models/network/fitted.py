"""What is left of a network's fit: predictions, files, ONNX."""

from __future__ import annotations

import io
import json
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load as arrays_of
from safetensors.numpy import save as bytes_of

from domain.errors import BadRequest
from domain.models.files import opened, sealed
from domain.models.network.fitting import single_thread
from domain.models.network.layers import Network, network_of

DESIGN, WEIGHTS = "network.json", "weights.safetensors"
LEARNER = dict(dense="quantile_network", recurrent="lstm", causal="transformer")       # by the kind of its design
TOGETHER = {True: 256, False: 32}       # rows, windows that go through at once, filled up to that many: so a row's numbers do not depend on its company
OPSET = 17


@dataclass(frozen=True)
class FittedNetwork:
    """``design``: as ``network_of`` reads it, with ``outputs``, ``seed``, ``spread``, ``device`` and ``reproducible`` (False after a fit on a GPU)."""

    network: Network
    design: dict[str, Any]

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(self.design["outputs"])

    @property
    def bars(self) -> int:
        return int(self.design["bars"])

    @property
    def spread(self) -> float:
        """Interquartile range of the labels that it was fitted to, by which errors of numbers are measured."""
        return float(self.design["spread"])

    @property
    def reproducible(self) -> bool:
        return bool(self.design["reproducible"])

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """float32 n × columns, or n × bars × columns -> float64 n × outputs."""
        rows = np.ascontiguousarray(rows, dtype=np.float32)
        expected = (self.design["columns"],) if self.bars == 1 else (self.bars, self.design["columns"])
        if rows.shape[1:] != expected:
            raise BadRequest(f"the network was fitted on rows of {' × '.join(map(str, expected))} and is given {' × '.join(map(str, rows.shape[1:]))}; give it the same columns")
        together = TOGETHER[self.bars == 1]
        filled = np.zeros((together, *expected), dtype=np.float32)
        forecasts = np.empty((len(rows), len(self.outputs)))
        with single_thread(), torch.no_grad():
            for first in range(0, len(rows), together):
                batch = rows[first : first + together]
                filled[: len(batch)] = batch
                forecasts[first : first + len(batch)] = self.network(torch.from_numpy(filled)).numpy()[: len(batch)]
        return forecasts

    def files(self) -> dict[str, bytes]:
        arrays = {name: values.numpy() for name, values in self.network.state_dict().items()}
        parts = {DESIGN: json.dumps(self.design, indent=1, sort_keys=True).encode(), WEIGHTS: bytes_of(arrays)}
        return sealed(LEARNER[self.design["kind"]], dict(outputs=self.outputs), parts)

    def onnx(self) -> bytes:
        """Input ``rows``, output ``outputs``, any number of rows. The exporter writes for about a second."""
        example = torch.zeros((2, self.design["columns"]) if self.bars == 1 else (2, self.bars, self.design["columns"]))
        written = io.BytesIO()
        with warnings.catch_warnings(), single_thread():
            warnings.simplefilter("ignore")     # of the exporter: that it is the older one, and that shapes were traced
            torch.onnx.export(self.network, (example,), written, input_names=["rows"], output_names=["outputs"], dynamic_axes={"rows": {0: "n"}, "outputs": {0: "n"}}, opset_version=OPSET, dynamo=False)  # type: ignore[arg-type]
        return written.getvalue()

    def contributions(self, rows: np.ndarray) -> None:
        """None: a network's score has no exact shares of its columns."""
        return None


def read(files: dict[str, bytes]) -> FittedNetwork:
    """The fit that ``FittedNetwork.files`` wrote; files of another learner, or damaged ones, are refused."""
    opened(files, *LEARNER.values())
    design = json.loads(files[DESIGN])
    network = network_of(design)
    network.load_state_dict({name: torch.from_numpy(np.array(values)) for name, values in arrays_of(files[WEIGHTS]).items()})
    return FittedNetwork(network.train(False), design)
