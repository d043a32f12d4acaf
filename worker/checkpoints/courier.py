"""Takes each checkpoint to the witnesses, on a thread of its own: a witness that is away delays nothing but its own cosignature."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from domain.audit.keys import VerifierKey
from worker.checkpoints.key_file import KeyFile
from worker.checkpoints.notary import Notary
from worker.checkpoints.witness_client import AWAY, COSIGNED, REFUSED, Address, Outcome, WitnessClient, addresses_of
from worker.settings import Settings
from worker.store import Filter, SignedCheckpoint, Store, Unit

log = logging.getLogger("witnesses")
ACTOR = "tidemark"
STATE = "audit_witnesses"           # fact: of each witness by its address what became of the last checkpoint, for the page
SOONEST, LATEST = 1.0, 60.0         # seconds until a witness that is away, or refuses, is tried again


class Courier:
    """``step`` is called every second. Only the process that holds the key sends."""

    def __init__(self, store: Store, settings: Settings, notary: Notary, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._notary, self._clock = store, notary, clock
        self._keys = KeyFile(settings.home)
        self._routes = [Route(address) for address in addresses_of(settings.audit.witnesses)]

    def step(self) -> None:
        if not self._routes or not self._notary.holds:
            return
        with self._store.read() as unit:
            latest = unit.checkpoints.latest()
        chain = self._keys.chain()
        for route in self._routes:
            if latest and chain and latest.number != route.done and self._clock() >= route.not_before:
                self._deliver(route, latest, chain.text)

    def _deliver(self, route: Route, latest: SignedCheckpoint, keys: str) -> None:
        if route.client is None:
            with self._store.read() as unit:
                route.open(pinned(unit, route.address.url), (unit.fact(STATE) or {}).get(route.address.url, {}))
        assert route.client is not None
        outcome = route.client.send(latest.note, latest.size, lambda old: self._proof(old, latest.size), keys)
        route.take(outcome, latest.number, self._clock())
        with self._store.unit() as unit:
            self._record(unit, route, latest, outcome)

    def _proof(self, old: int, size: int) -> list[bytes]:
        with self._store.read() as unit:
            return unit.checkpoints.proof(old, size)

    def _record(self, unit: Unit, route: Route, latest: SignedCheckpoint, outcome: Outcome) -> None:
        url, at = route.address.url, unit.now()
        entity = f"witness:{url}"
        if outcome.state != AWAY:
            unit.checkpoints.receive(latest, url, outcome.state, outcome.text, at)
        if outcome.key and not route.address.key and pinned(unit, url) is None:
            sentence = f"The witness {outcome.key.name} at {url} is trusted from its first cosignature on"
            unit.audit(ACTOR, "witness_trusted", entity, sentence=sentence, url=url, key=outcome.key.text)
        if outcome.state == REFUSED and not route.refusing:
            log.error("%s", outcome.text)
            detail: dict[str, Any] = dict(url=url, checkpoint=latest.note, size=latest.size, root=latest.root, witness_size=outcome.size)
            unit.audit(ACTOR, "checkpoint_refused", entity, sentence=outcome.text, **detail)
        elif outcome.state == AWAY and route.state.get("state") != AWAY:
            log.warning("%s", outcome.text)
        route.note(outcome, latest, at.isoformat())
        known = {route_.address.url: route_.state for route_ in self._routes if route_.state}
        unit.remember(STATE, {**{name: value for name, value in (unit.fact(STATE) or {}).items() if name in self._urls}, **known})

    @property
    def _urls(self) -> set[str]:
        return {route.address.url for route in self._routes}


class Route:
    """One witness: what it has, and when to try again."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.client: WitnessClient | None = None
        self.done = 0                   # number of the last checkpoint that it cosigned
        self.not_before = 0.0
        self.state: dict[str, Any] = {}
        self._failures = 0

    @property
    def refusing(self) -> bool:
        """Whether it refused since it last cosigned; reported once."""
        return bool(self.state.get("refusing"))

    def open(self, key: VerifierKey | None, state: dict[str, Any]) -> None:
        self.client, self.state = WitnessClient(self.address, key), dict(state)

    def take(self, outcome: Outcome, number: int, now: float) -> None:
        if outcome.state == COSIGNED:
            self.done, self.not_before, self._failures = number, now, 0
        else:
            self._failures += 1
            self.not_before = now + (LATEST if outcome.state == REFUSED else min(SOONEST * 2 ** (self._failures - 1), LATEST))

    def note(self, outcome: Outcome, latest: SignedCheckpoint, at: str) -> None:
        cosigned = dict(number=latest.number, size=latest.size, cosigned_at=at, key=outcome.key.text if outcome.key else "", refusing=False)
        self.state = {**self.state, "state": outcome.state, "text": "" if outcome.state == COSIGNED else outcome.text, "at": at}
        self.state |= cosigned if outcome.state == COSIGNED else {"refusing": True} if outcome.state == REFUSED else {}


def pinned(unit: Unit, url: str) -> VerifierKey | None:
    """The key that the witness at ``url`` showed first."""
    event = next(iter(unit.trail.page(Filter(kinds=("witness_trusted",), entity=f"witness:{url}"), 1)), None)
    return VerifierKey.parse(json.loads(event.body)["detail"]["key"]) if event else None
