"""A channel of notifications: takes what apprise's json:// posts, or hangs until it is told to go on."""

from __future__ import annotations

import json
import threading
from typing import Any

from tests.doubles.server import Double, HttpRequest, Reply


class ChannelDouble(Double):
    """``hang``: answers wait until it is cleared. ``letters``: what was taken in, with title, message and type."""

    watched = "/hook"

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[dict[str, Any]] = []
        self.status = 200
        self.hang, self.reached = threading.Event(), threading.Event()
        self.go_on = threading.Event()
        self._news = threading.Condition()

    def reply(self, request: HttpRequest) -> Reply:
        self.reached.set()
        if self.hang.is_set():
            self.go_on.wait(3_600)
        if self.status == 200:
            with self._news:
                self.letters.append(json.loads(request.body))
                self._news.notify_all()
        return Reply(self.status)

    def taken(self, count: int, within: float = 20.0) -> bool:
        """Whether it has so many letters, after waiting for them."""
        with self._news:
            return self._news.wait_for(lambda: len(self.letters) >= count, within)
