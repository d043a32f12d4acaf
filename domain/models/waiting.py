"""Calls of libraries that cannot be interrupted, made so that cancelling does not wait for them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from domain.models.base import Watch

T = TypeVar("T")
EVERY = 0.2     # seconds between two looks at whether to stop


def waited(call: Callable[[], T], watch: Watch, share: float = 0.0) -> T:
    """What ``call`` returns. It runs in a thread of its own while ``watch`` is called five times a second; where that raises, the thread is left to
    end by itself and its result is dropped. So ``call`` must be a bounded step that writes nothing that others read.

    >>> waited(lambda: 6 * 7, lambda share, loss: None)
    42
    """
    results: list[T] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as fault:      # raised again below, in the thread that waits
            faults.append(fault)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(EVERY)
    while thread.is_alive():
        watch(share, None)
        thread.join(EVERY)
    if faults:
        raise faults[0]
    return results[0]
