"""Enqueues jobs: a message carries a job's id only, addressed to an actor by name."""

from __future__ import annotations

from functools import cache
from typing import Any

SOON = 0.25                 # seconds: runners have looked by themselves by then
QUEUES = ("interactive", "research")
SESSIONS = "sessions"       # no queue of jobs: a message to the runners of trading sessions that one has a command
CHANNEL = "tidemark:sessions"       # where they hear of it; nothing is kept there, since a runner looks by itself, too
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
    """Wake a worker for ``job_id``. False if the queue server does not answer: the scheduler sends it again.
    To ``SESSIONS``: wake the runners for the session of that name."""
    if queue == SESSIONS:
        return wake_runners(redis_url, job_id)
    import redis
    from dramatiq import Message
    from dramatiq.errors import BrokerConnectionError

    try:
        broker(redis_url).enqueue(Message(queue_name=queue, actor_name=f"run_{queue}", args=(job_id,), kwargs={}, options={}))
    except (redis.RedisError, BrokerConnectionError, OSError):
        return False
    return True


@cache
def client_of(redis_url: str, **timeouts: float | None) -> Any:
    """A client of the queue server that tries once: whoever uses it has another way."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    alive: dict[str, Any] = {} if redis_url.startswith("unix:") else {"socket_keepalive": True}
    return redis.Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0), **{"socket_connect_timeout": CONNECT_WITHIN, **alive, **timeouts})


def wake_runners(redis_url: str, session: str) -> bool:
    """Tell the runners that there is something for the session. False where that was not sent: they look by themselves, a little later."""
    import redis

    if not redis_url:
        return False
    try:
        client_of(redis_url, socket_connect_timeout=SOON, socket_timeout=SOON).publish(CHANNEL, session)
    except (redis.RedisError, OSError):
        return False
    return True
