"""Enqueues jobs: a message carries a job's id only, addressed to an actor by name."""

from __future__ import annotations

from functools import cache
from typing import Any

QUEUES = ("interactive", "research")
CONNECT_WITHIN = 2.0        # seconds; a person waits for this when the queue server's machine is gone


@cache
def broker(redis_url: str) -> Any:
    """The Dramatiq broker for ``redis_url``. Limits, retries and heartbeats are the job row's, not its."""
    import dramatiq
    import redis

    from worker.lanes import LaneBroker

    client = redis.Redis.from_url(redis_url, socket_connect_timeout=CONNECT_WITHIN)
    redis_broker = LaneBroker(client)
    dramatiq.set_broker(redis_broker)
    for queue in QUEUES:
        redis_broker.declare_queue(queue)
    return redis_broker


def enqueue(redis_url: str, queue: str, job_id: str) -> bool:
    """Wake a worker for ``job_id``. False if the queue server does not answer: the scheduler sends it again."""
    import redis
    from dramatiq import Message
    from dramatiq.errors import BrokerConnectionError

    try:
        broker(redis_url).enqueue(Message(queue_name=queue, actor_name=f"run_{queue}", args=(job_id,), kwargs={}, options={}))
    except (redis.RedisError, BrokerConnectionError, OSError):
        return False
    return True
