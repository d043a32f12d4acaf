"""The process in which the package MetaTrader5 runs: a call a line on its input, an answer a line on its output.

The package holds Python's interpreter lock while it waits for the terminal, for as long as a minute. In a process of its own it stops nobody else's
threads, and one that hangs can be ended. This file is run as a script; it loads numpy and the package, nothing of Tidemark.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from typing import Any, BinaryIO


def serve(module: Any, calls: BinaryIO, answers: BinaryIO) -> None:
    """Answer calls until the input ends, which it does with the calling process."""
    for line in calls:
        call = json.loads(line)
        value = getattr(module, call["name"])(*call["args"], **call["kwargs"])
        answers.write(json.dumps(dict(value=plain(value), error=list(module.last_error()))).encode() + b"\n")
        answers.flush()


def plain(value: Any) -> Any:
    """A value of the package as JSON takes it: structures by their fields, arrays by their bytes.

    >>> from collections import namedtuple
    >>> plain((namedtuple("Tick", "bid ask")(1.1, 1.2), None))
    [{'record': 'Tick', 'fields': {'bid': 1.1, 'ask': 1.2}}, None]
    """
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(record=type(value).__name__, fields={name: plain(each) for name, each in value._asdict().items()})
    if hasattr(value, "dtype") and value.ndim:
        return dict(array=base64.b64encode(value.tobytes()).decode(), kind=value.dtype.descr)
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    item = getattr(value, "item", None)         # a number of numpy's
    return item() if item else value


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())       # whatever else is printed is no answer
    import MetaTrader5

    serve(MetaTrader5, sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
