"""Wakes a runner where a command or a kill switch was written: through the queue server, so that it need not wait for its next look.

Without a queue server nothing is lost: a runner looks four times a second by itself.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from worker import redis_server
from worker.dispatch import CHANNEL, client_of
from worker.settings import Settings

if TYPE_CHECKING:
    import redis

AGAIN = (1.0, 60.0)         # seconds between two tries to reach the queue server: the first, doubled up to the last


@contextmanager
def woken(settings: Settings, wake: Callable[[], object]) -> Iterator[None]:
    """``wake`` is called whenever a message to the runners comes, in a thread of its own, which waits in the queue server."""
    address = settings.redis_url or ("" if sys.platform == "win32" else redis_server.url(settings.home))
    if not address:         # there is no embedded queue server on Windows
        yield
        return
    waiting = Waiting(address, wake)
    waiting.start()
    try:
        yield
    finally:
        waiting.leave()


class Waiting(threading.Thread):
    """One connection that waits for messages; where it is lost, it is made again by and by. ``listening`` is set while it stands."""

    def __init__(self, redis_url: str, wake: Callable[[], object]) -> None:
        super().__init__(name="wakes", daemon=True)
        self._url, self._wake = redis_url, wake
        self._leaving, self.listening = threading.Event(), threading.Event()
        self._messages: Any = None

    def run(self) -> None:
        import redis

        client, pause = client_of(self._url, socket_timeout=None), AGAIN[0]     # it waits without end, and an idle runner does nothing
        while not self._leaving.is_set():
            with contextlib.suppress(redis.RedisError, OSError):
                self._listen(client)
            pause = AGAIN[0] if self.listening.is_set() else min(2.0 * pause, AGAIN[1])
            self.listening.clear()
            self._leaving.wait(pause)

    def leave(self) -> None:
        """The answer to a ping ends the wait, and with it the thread."""
        import redis

        self._leaving.set()
        if self.listening.is_set():
            with contextlib.suppress(redis.RedisError, OSError):
                self._messages.ping()

    def _listen(self, client: redis.Redis) -> None:
        with client.pubsub() as messages:
            self._messages = messages
            messages.subscribe(CHANNEL)
            for _ in messages.listen():        # the first says that it stands: what was written until then is looked at, too
                if self._leaving.is_set():
                    return
                self.listening.set()
                self._wake()
