"""What a session sees of its account at a broker, and what whoever watches it has to say: the hook for limits on the broker's equity, and for alarms."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from domain.trading.order import Account
from worker.sessions.events import ACTOR, Happened
from worker.store import Unit
from worker.store import session_asking as asking
from worker.store.messages import Message

Plain = dict[str, Any]


@dataclass(frozen=True)
class BrokerSeen:
    """The account as it was last looked at. ``state``: ``away``, ``differs`` or empty; ``trouble``: why it is away. ``account``: None until it was read;
    ``at``: the vendor's time, nanoseconds UTC. The rest are plain rows, as the session's view shows them under ``broker``."""

    at: int
    state: str = "away"
    trouble: str = ""
    account: Account | None = None
    differences: Sequence[Plain] = ()       # client_id instrument expected actual sentence
    foreign: Sequence[Plain] = ()           # position_id instrument side lots price client_id
    unprotected: Sequence[Plain] = ()       # position_id instrument side lots price client_id
    unknown: Sequence[Plain] = ()           # client_id sentence
    waiting: Sequence[Plain] = ()           # client_id instrument side lots until (ISO) why
    alarms: Sequence[str] = ()              # sentences: no stop, unknown orders, a stop that could not be moved

    def plain(self) -> Plain:
        """What stands in the session's view under ``broker``; decimals as text."""
        account = self.account
        money = None if account is None else dict(currency=account.currency, balance=str(account.balance), equity=str(account.equity), margin_used=str(account.margin_used), margin_free=str(account.margin_free))
        rows = {name: list(getattr(self, name)) for name in ("differences", "foreign", "unprotected", "unknown", "waiting", "alarms")}
        return dict(at=self.at, state=self.state, trouble=self.trouble, account=money, **rows)


@dataclass(frozen=True)
class LimitHalt:
    """A limit that the broker's equity has reached: a command of the session, which halts it as that limit does. ``keep``: positions stay; ``key``: executed once."""

    limit: str
    reason: str
    keep: bool
    key: str

    def ask(self, unit: Unit, name: str) -> None:
        arguments = dict(limit=self.limit) | (dict(keep=True) if self.keep else {})
        asking.ask(unit, name, "halt", arguments, ACTOR, self.reason, self.key)


@dataclass(frozen=True)
class BrokerNews:
    """What is to be written with it. ``halts``: limits that were reached; each is requested with its ``ask``, in the transaction or before it."""

    messages: Sequence[Message] = ()
    events: Sequence[Happened] = ()
    halts: Sequence[LimitHalt] = ()


class BrokerWatch(Protocol):
    """Called in the runner's thread with every look at the account that came, at least every 5 s while the broker answers. ``kept``: what it must
    remember over a restart, stored in the session's view under ``broker_watch`` in the transaction that follows."""

    @property
    def kept(self) -> Mapping[str, Any]: ...
    @property
    def floors(self) -> Mapping[str, Any]:
        """Of its rule set, under the broker's equity, as they stand in the view; empty without one."""

    def look(self, seen: BrokerSeen, halted: Collection[str] = ()) -> BrokerNews:
        """``halted``: the limits by which the session is halted already."""
