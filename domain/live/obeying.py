"""What a session keeps of its commands: which strategies have which parameters, what is halted and why, whether it is to stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from domain.backtest.own_limits import limited
from domain.backtest.parameters import changed
from domain.backtest.verbs import CommandedAccount, Traded, Verbs
from domain.compact import compact
from domain.errors import BadRequest
from domain.live.command import Command
from domain.live.deciders import Deciders
from domain.live.deciding import streamable
from domain.live.plan import Plan
from domain.live.signal_rows import Signals
from domain.params import values_of
from domain.strategies.base import make

HALTS = {"pause": ("paused", True), "continue": ("paused", False), "halt": ("killed", True), "release": ("killed", False), "disable": ("disabled", True), "enable": ("disabled", False)}
ALL = "*"


class Obeying:
    """Commands on the account and the strategies of a session, in their order."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        traded = [Traded(plan.instrument(text), plan.name_of(text).timeframe, plan.names[number]) for text, number in plan.decided]
        self.verbs = Verbs(traded, plan.rules.limits.blackout)
        self.halts: dict[str, set[str]] = {why: set() for why, _ in HALTS.values()}     # paused, killed, disabled -> strategies, ALL for the session
        self._text = ""                                                                 # of ``plain``, while no command comes
        self.params: dict[int, Mapping[str, Any]] = {}                                  # of the strategies that ``set`` has changed

    def check(self, command: Command, deciders: Deciders, waiting: Iterable[Command] = ()) -> None:
        """Raises BadRequest for a command that names what is not there; nothing is done. ``waiting``: commands that are worked before it."""
        self.verbs.check(command)
        if command.command == "set":
            _refuse_selected(self.plan)
            for number in self._numbers(command.payload.strategy):
                earlier = (each.payload for each in waiting if each.command == "set" and number in self._numbers(each.payload.strategy))
                strategy = reduce(lambda strategy, arguments: changed(strategy, arguments.parameters), earlier, deciders.strategies[number])
                deciders.check(number, _changeable(strategy, command.payload.parameters))

    def obey(self, command: Command, account: CommandedAccount, deciders: Deciders) -> tuple[str, ...]:
        """Sentences on what could not be done."""
        self._text = ""
        try:
            remarks = self.verbs.work(command, account)
        except BadRequest as error:
            return (f"{command.command}: {error}",)
        if command.command == "set":
            self._set(command, account, deciders)
        if command.command in HALTS and not getattr(command.payload, "limit", ""):       # a limit's halt the account lifts itself
            self._halted(command)
        return tuple(remarks)

    def task_of(self, command: Command) -> int:
        """The task that an order or an approval falls to."""
        return self.verbs.series_of(command.payload.instrument, command.payload.series) if command.command == "order" else self._approved(command.payload)

    def _approved(self, arguments: Any) -> int:
        return next(k for k, task in enumerate(self.verbs.tasks) if arguments.series in ("", task.series) and arguments.strategy in ("", task.strategy))

    @property
    def text(self) -> str:
        """``plain`` as JSON, written again only after a command."""
        self._text = self._text or compact(self.plain())
        return self._text

    def plain(self) -> dict[str, Any]:
        return dict(tickets=self.verbs.tickets, windows=self.verbs.windows, stopped=self.verbs.stopped, halts={why: sorted(names) for why, names in self.halts.items()}, params={str(number): dict(values) for number, values in self.params.items()})

    def take_back(self, plain: Mapping[str, Any], deciders: Deciders) -> None:
        self._text = ""
        self.verbs.tickets, self.verbs.windows, self.verbs.stopped = plain["tickets"], plain["windows"], plain["stopped"]
        self.halts = {why: set(names) for why, names in plain["halts"].items()}
        for number, values in plain["params"].items():
            self.params[int(number)] = values
            deciders.change(int(number), make(self.plan.strategies[int(number)].name, values))

    def enabled(self, name: str) -> bool:
        return name not in self.halts["disabled"] and name not in self.halts["killed"]

    @property
    def state(self) -> str:
        return "halted" if ALL in self.halts["killed"] else "paused" if ALL in self.halts["paused"] else "running"

    def _set(self, command: Command, account: CommandedAccount, deciders: Deciders) -> None:
        for number in self._numbers(command.payload.strategy):
            strategy = changed(deciders.strategies[number], command.payload.parameters)
            deciders.change(number, strategy)
            self.params[number] = values_of(strategy)
        rules = self.plan.rules
        for strategy in deciders.strategies:
            rules = limited(rules, strategy)
        account.limit(dict(max_drawdown=rules.limits.max_drawdown))

    def _halted(self, command: Command) -> None:
        why, begins = HALTS[command.command]
        name = getattr(command.payload, "strategy", "") or (ALL if why != "disabled" else self.plan.names[0])
        (self.halts[why].add if begins else self.halts[why].discard)(name)

    def _numbers(self, name: str) -> list[int]:
        return [number for number, each in enumerate(self.plan.names) if name in ("", each)]


def _refuse_selected(plan: Plan) -> None:
    """A model and a scanner judge the strategy as it is."""
    if plan.model is not None:
        raise BadRequest("the model judges signals of the parameters that it was trained with; start another session with other parameters")
    if plan.scan is not None:
        raise BadRequest("the scanner judges a strategy by the trades of the parameters that it has; start another session with other parameters")


def _changeable(strategy: Any, parameters: Mapping[str, Any]) -> Any:
    if isinstance(strategy, Signals):
        raise BadRequest("a table of signals has no parameters, so there is nothing to set")
    return streamable(changed(strategy, parameters))
