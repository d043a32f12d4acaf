"""How a vendor is reached: paced, timed, tried again, cancelled within a second. Time and chance are handed in."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from domain.errors import BadRequest, SourceUnavailable, listed

if TYPE_CHECKING:
    from requests import Session

T = TypeVar("T")
TIMEOUT = 10.0              # seconds for one answer, from its request to its last byte
TRIES = 6
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0        # seconds before the second try, doubling
PATIENCE = 300.0            # seconds; a vendor that asks to wait longer has its download end, and says when to come back
LOOK_EVERY = 0.1            # seconds between two looks whether to stop
STATUSES = {400: "it does not take this request", 404: "it has no such thing", 410: "it has this no longer"}


class Refused(BadRequest):
    """The vendor answered and will not give it, however often the request is repeated: 400, 401, 403, 404."""


class Transient(Exception):
    """The vendor did not answer, or not yet: worth another try, after ``after`` seconds where it stated them. ``sent``:
    whether the request may have reached it (an order that is lost on its way back may be filled)."""

    def __init__(self, reason: str, after: float | None = None, sent: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.after, self.sent = reason, after, sent


@dataclass(frozen=True)
class Clock:
    """The time, handed in: the domain has none. ``utc_ns``: nanoseconds since 1970 UTC; ``monotonic`` and ``sleep``: seconds."""

    utc_ns: Callable[[], int]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass
class Pace:
    """At most ``calls`` in any ``seconds``.

    >>> pace = Pace(2, 1.0)
    >>> [pace.wait(at) for at in (0.0, 0.1, 0.2)]
    [0.0, 0.0, 0.8]
    """

    calls: int
    seconds: float
    _begun: deque[float] = field(default_factory=deque, repr=False)

    def wait(self, at: float) -> float:
        """Seconds to wait before a call that would begin ``at``; the call is counted as made after that wait."""
        while self._begun and self._begun[0] <= at - self.seconds:
            self._begun.popleft()
        wait = 0.0
        if len(self._begun) >= self.calls:
            wait = max(0.0, self._begun[-self.calls] + self.seconds - at)
        self._begun.append(at + wait)
        return wait


@dataclass(frozen=True)
class Answer:
    """A whole answer of a server: its status and body."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        """The body as JSON; Transient where it is cut or none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Transient("its answer is incomplete JSON") from None


@dataclass
class Connection:
    """What a source uses to reach its vendor.

    ``check`` is called at least every 0.1 s while the vendor is waited for, and may raise to stop (a job that is
    cancelled); ``keys`` are the vendor's environment variables; ``random`` gives 0 to 1; ``notice`` hears why it waits.
    ``double``: every request goes to ``url``, a server of this machine, whatever host an SDK wants.
    """

    title: str
    url: str
    clock: Clock
    random: Callable[[], float]
    check: Callable[[], None] = lambda: None
    notice: Callable[[str], None] = lambda sentence: None
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    pace: Pace | None = None
    double: bool = False
    timeout: float = TIMEOUT
    tries: int = TRIES
    last: Transient | Refused | None = field(default=None, repr=False)      # trouble that a session saw in this call
    turn: int = field(default=0, repr=False)                                # the try that is under way
    kept: dict[str, Any] = field(default_factory=dict, repr=False)          # what a vendor keeps between its calls: its SDK's client
    _session: Session | None = field(default=None, repr=False)

    def get(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, *, missing: tuple[int, ...] = ()
    ) -> Answer:
        """The answer to a GET of ``path`` below ``url`` (or of a whole address), tried again as ``call`` does.
        A status in ``missing`` (such as 404) is an answer too; other 4xx are Refused, 429 and 5xx tried again."""
        session = self._session = self._session or self.session()
        address = path if path.startswith(("http://", "https://")) else self.url + path

        def ask() -> Answer:
            response = session.get(address, params=params, headers=headers)
            return Answer(response.status_code, response.content, response.headers)

        answer = self.call(ask, deadline=self.timeout)
        if answer.status >= 400 and answer.status not in missing:
            raise Refused(f"{self.title} answered {answer.status}: {STATUSES.get(answer.status, 'it does not take this request')}")
        return answer

    def call(self, function: Callable[[], T], *, tries: int | None = None, deadline: float | None = None) -> T:
        """``function()`` in a thread of its own, paced; tried again where it raises Transient (or its session saw one).

        Waits 1 s, doubling to at most 60 s, a random half of it on top; never less than Retry-After says. After the
        last try SourceUnavailable; Refused and every other error pass through. It is left behind, unfinished, where
        ``check`` raises, and counts as Transient where it takes longer than ``deadline`` (three time-outs, for an SDK
        may make several requests).
        """
        tries, wait = tries or self.tries, FIRST_WAIT
        for attempt in range(1, tries + 1):
            if self.pace:
                self.wait(self.pace.wait(self.clock.monotonic()))
            self.last, self.turn = None, self.turn + 1
            try:
                value = self._apart(function, deadline or 3 * self.timeout)
                if self.last is None:
                    return value
                trouble: Transient | Refused = self.last
            except Transient as error:
                trouble = error
            if isinstance(trouble, Refused):
                raise trouble
            if attempt == tries or (trouble.after or 0.0) > PATIENCE:
                raise SourceUnavailable(self._given_up(trouble, attempt)) from None
            pause = max(min(wait * (1 + self.random() / 2), LONGEST_WAIT), trouble.after or 0.0)
            self.notice(f"{self.title}: {trouble.reason}; requested again in {pause:.0f} s ({attempt} of {tries} tries)")
            self.wait(pause)
            wait = min(2 * wait, LONGEST_WAIT)
        raise AssertionError("the last try returns or raises")

    def session(self, *, stream: bool = False, watched: str = "") -> Session:
        """A ``requests`` session for an SDK: with the time-out, and to ``url`` instead of the SDK's own host where
        that is a double. 429 (with Retry-After), 5xx, no answer and a cut body are raised as Transient, and remembered
        for ``call`` where the SDK swallows them; 401 and 403 reach the SDK and are remembered until a request is let
        in; other 4xx reach it. All that of requests whose path holds ``watched`` only; others pass untouched. ``stream``: lines are read as they come, and 15 s without any are an end."""
        from domain.venues.transport import session

        return session(self, stream, watched)

    def wait(self, seconds: float) -> None:
        """Sleep, looking at ``check`` every 0.1 s."""
        until = self.clock.monotonic() + seconds
        self.check()
        while (left := until - self.clock.monotonic()) > 0:
            self.clock.sleep(min(left, LOOK_EVERY))
            self.check()

    def remember(self, trouble: Transient | Refused | None, turn: int) -> None:
        """Trouble of the try ``turn``; that of one left behind counts no more."""
        if turn == self.turn:
            self.last = trouble

    def not_allowed(self, status: int) -> Refused:
        """The error for 401 and 403."""
        variables = f"; check {listed(self.keys)}" if self.keys else ""
        return Refused(f"{self.title} does not let us in (it answered {status}){variables}")

    def _apart(self, function: Callable[[], T], deadline: float) -> T:
        """``function()`` in a thread that may be left behind: what it returns or raises."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(function())
            except BaseException as error:      # raised again by the thread that waits
                future.set_exception(error)

        until = self.clock.monotonic() + deadline
        threading.Thread(target=run, name=f"{self.title}, one call", daemon=True).start()
        while not wait([future], LOOK_EVERY).done:
            self.check()
            if self.clock.monotonic() > until:
                raise Transient(f"it gave no whole answer within {deadline:g} s")
        if self.last is not None and future.exception() is not None:
            raise self.last from None
        return future.result()

    def _given_up(self, trouble: Transient, attempt: int) -> str:
        if (trouble.after or 0.0) > PATIENCE:
            return f"{self.title}: {trouble.reason}, and asks to wait {trouble.after:.0f} s; try again then"
        return f"{self.title}: {trouble.reason}, in {attempt} {'try' if attempt == 1 else 'tries'}; try again later"


def retry_after(headers: Mapping[str, str], at_ns: int) -> float | None:
    """Seconds that a header Retry-After asks to wait, be it a number or a date; None without a readable one.

    >>> retry_after({"Retry-After": "7"}, 0), retry_after({"Retry-After": "Thu, 01 Jan 1970 00:00:05 GMT"}, 2_000_000_000), retry_after({}, 0)
    (7.0, 3.0, None)
    """
    text = headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - at_ns / 1e9) if text else None
    except (ValueError, TypeError):
        return None
