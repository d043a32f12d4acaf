"""The queue as a worker reads it: a lane waits in the queue server until a message comes, so a job begins at once, and an idle worker does nothing.

Dramatiq's own consumer asks several times a second, in a script, of this queue and of one for delayed messages, of which there are none here: when
a job may begin stands in its row.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from typing import Any

import redis
from dramatiq import Broker, Consumer, Message, MessageProxy, Middleware, Worker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed

WAIT = 2.0              # seconds of one wait, well under the 5 after which the client gives a silent server up; a message ends it
TURN = 0.05             # seconds between two looks at whether a worker that stops has stopped
TRIES = 20              # a lane that was about to wait is woken by a later one


class LaneBroker(RedisBroker):
    """``queues`` without delayed messages, read by ``Lane``."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client=client, middleware=[], maintenance_chance=1_000_000)
        self.leaving = threading.Event()
        self._waiting: set[int] = set()         # connections of lanes that wait, as the server numbers them
        self.add_middleware(_WhenStopped())

    def declare_queue(self, queue_name: str) -> None:
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5_000) -> Consumer:
        try:
            return Lane(self, queue_name)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None

    def wait(self, lane: redis.Redis, queue: str, seconds: float) -> None:
        """Until there is a message in the queue: its first one is moved to where it is."""
        key, number = f"{self.namespace}:{queue}", int(lane.client_id())
        self._waiting.add(number)
        try:
            if not self.leaving.is_set():
                lane.blmove(key, key, seconds, "LEFT", "LEFT")      # type: ignore[arg-type]
        finally:
            self._waiting.discard(number)

    def let_go(self) -> None:
        """End every wait, and let no other begin."""
        self.leaving.set()
        for _ in range(TRIES):
            with contextlib.suppress(redis.RedisError, OSError):        # then it ends by itself
                for number in tuple(self._waiting):
                    self.client.client_unblock(number)
            if not self._waiting:
                return
            time.sleep(TURN / 5)


class _WhenStopped(Middleware):
    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        if isinstance(broker, LaneBroker):
            broker.let_go()


class Lane(Consumer):
    """One message at a time: the next is fetched once the last is acknowledged."""

    def __init__(self, broker: LaneBroker, queue: str) -> None:
        self._broker, self._queue = broker, queue
        self._own = redis.Redis(connection_pool=broker.client.connection_pool, single_connection_client=True)
        self._at_work: set[str] = set()         # ids of messages that are not acknowledged
        self._free = threading.Event()
        self._free.set()

    def __next__(self) -> MessageProxy | None:
        if self._broker.leaving.is_set():
            time.sleep(TURN)
            return None
        if not self._free.wait(WAIT):
            return None
        try:
            self._broker.wait(self._own, self._queue, WAIT)
            message = self._broker.do_fetch(self._queue, 1)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None
        return self._taken(message[0]) if message and message[0] is not None else None

    def _taken(self, data: bytes) -> MessageProxy:
        message = MessageProxy(Message.decode(data))
        self._at_work.add(message.message_id)
        self._free.clear()
        return message

    @property
    def ready(self) -> bool:
        """Whether it may fetch another message."""
        return self._free.is_set()

    def ack(self, message: Any) -> None:
        self._end("ack", message)

    def nack(self, message: Any) -> None:
        self._end("nack", message)

    def _end(self, verb: str, message: Any) -> None:
        try:
            getattr(self._broker, f"do_{verb}")(self._queue, message.options["redis_message_id"])
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None
        finally:
            self._at_work.discard(message.message_id)
            if not self._at_work:
                self._free.set()

    def requeue(self, messages: Iterable[Any]) -> None:
        if names := [message.options["redis_message_id"] for message in messages]:
            self._broker.do_requeue(self._queue, *names)

    def close(self) -> None:
        self._own.close()
