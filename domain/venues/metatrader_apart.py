"""The package MetaTrader5 in a process of its own, called as if it were here."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np

SERVER = str(Path(__file__).with_name("metatrader_server.py"))
GONE = (-10_004, "No IPC connection: the process of the package has ended")


class Apart:
    """Stands for the module: its functions are called over pipes, so that waiting holds up no other thread, and ``end`` ends a call that hangs.

    One call at a time. A process that has ended is begun anew with the next call, which then finds itself signed out.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._error: tuple[int, str] = (1, "Success")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._call(name, args, kwargs)

    def last_error(self) -> tuple[int, str]:
        return self._error

    def end(self) -> None:
        """End the process; a call that it is in returns nothing."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError, ValueError):
                    pipe.close() if pipe else None

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        calls, answers = self._running()
        line = b""
        with contextlib.suppress(OSError, ValueError):      # it was ended meanwhile
            calls.write(json.dumps(dict(name=name, args=args, kwargs=kwargs)).encode() + b"\n")
            calls.flush()
            line = answers.readline()
        if not line.endswith(b"\n"):
            self._error = GONE
            return None
        answer = json.loads(line)
        self._error = (int(answer["error"][0]), str(answer["error"][1]))
        return value_of(answer["value"])

    def _running(self) -> tuple[IO[bytes], IO[bytes]]:
        """The input and the output of the process, which is begun if there is none."""
        if self._process is not None and self._process.poll() is not None:
            self.end()
        if self._process is None:
            hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
            self._process = subprocess.Popen([sys.executable, "-P", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, creationflags=hidden)
        calls, answers = self._process.stdin, self._process.stdout
        if calls is None or answers is None:
            raise OSError("the process of the package has no pipes")
        return calls, answers


def value_of(value: Any) -> Any:
    """What ``metatrader_server.plain`` made JSON of.

    >>> value_of([{"record": "Tick", "fields": {"bid": 1.1}}])
    (Tick(bid=1.1),)
    """
    if isinstance(value, list):
        return tuple(value_of(each) for each in value)
    if isinstance(value, dict) and "record" in value:
        return _record(value["record"], tuple(value["fields"]))(*(value_of(each) for each in value["fields"].values()))
    if isinstance(value, dict):
        return np.frombuffer(base64.b64decode(value["array"]), np.dtype([tuple(field) for field in value["kind"]]))
    return value


@cache
def _record(name: str, fields: tuple[str, ...]) -> Callable[..., Any]:
    return namedtuple(name, fields)
