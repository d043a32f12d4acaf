"""A learner's ONNX form, run by ONNX Runtime instead of its own library."""

from __future__ import annotations

from typing import Any

import numpy as np

ENGINES = ("native", "onnx")


class Served:
    """A session over what ``Fitted.onnx`` gave: input ``rows`` (float32), output ``outputs``. One thread: the same sums in the same order."""

    def __init__(self, content: bytes, outputs: int) -> None:
        self._session, self._outputs = session_of(content), outputs

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """As ``Fitted.predict``: float64 n × outputs."""
        given = np.ascontiguousarray(rows, np.float32)
        return np.asarray(self._session.run(["outputs"], {"rows": given})[0], np.float64).reshape(len(given), self._outputs)


def session_of(content: bytes) -> Any:
    """An ONNX session on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
