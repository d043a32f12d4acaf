"""What a session sees of its account at a broker, and what whoever watches it has to say: the hook for limits on the broker's equity, and for alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from domain.trading.order import Account
from worker.sessions.events import Happened
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
    differences: Sequence[Plain] = ()       # client_id instrument expected found sentence
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
class BrokerNews:
    """What is to be written with it. ``halt``: why the session must stop trading and flatten, empty where it goes on."""

    messages: Sequence[Message] = ()
    events: Sequence[Happened] = ()
    halt: str = ""


class BrokerWatch(Protocol):
    """Called in the runner's thread with every look at the account that came, at least every 5 s while the broker answers. ``kept``: what it must
    remember over a restart, stored in the session's view under ``broker_watch`` in the transaction that follows."""

    @property
    def kept(self) -> Mapping[str, Any]: ...
    def look(self, seen: BrokerSeen) -> BrokerNews: ...


@dataclass
class Unwatched:
    """Says nothing."""

    kept: Mapping[str, Any] = field(default_factory=dict)

    def look(self, seen: BrokerSeen) -> BrokerNews:
        return BrokerNews()
