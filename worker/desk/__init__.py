"""The service layer of pages and terminal: options, submit, read. Every change is an audit event."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from domain.analytics.trade_table import TradeFilter
from domain.errors import Forbidden, SecondPerson, SignedOut, SourceUnavailable, UnknownName
from domain.errors import TidemarkError as Refused
from worker import logs
from worker.code_keys import CodeKeys
from worker.desk.account import Account
from worker.desk.actor import Actor
from worker.desk.approvals import ApprovalsView
from worker.desk.backtests import BacktestRequest, Backtests
from worker.desk.batches import Batches
from worker.desk.before_run import BeforeRun
from worker.desk.bundle import BundleView
from worker.desk.chances import Chances
from worker.desk.checkpoints import CheckpointsView
from worker.desk.compare import Compare
from worker.desk.compliance import Compliance
from worker.desk.context import DeskContext
from worker.desk.cost_profiles import CostProfilesView
from worker.desk.data import Data
from worker.desk.downloads import Downloads
from worker.desk.drift import Drift
from worker.desk.examinations import Examinations
from worker.desk.executions import Executions, Report
from worker.desk.explanations import Explanations
from worker.desk.features import FeatureRequest, Features
from worker.desk.fields import Fields
from worker.desk.form_presets import FormPresetsView
from worker.desk.health import Health
from worker.desk.histories import Histories
from worker.desk.incoming import Quota
from worker.desk.instrument_list import InstrumentList
from worker.desk.jobs import JobList
from worker.desk.journal import Journal
from worker.desk.listing import Listing, Part
from worker.desk.mappings import MappingsView
from worker.desk.models import Models
from worker.desk.outside import OutsideData
from worker.desk.outside_downloads import OutsideDownloads
from worker.desk.paper import Paper
from worker.desk.paper_rows import StartRequest
from worker.desk.policies import PolicyView
from worker.desk.regimes import RegimeView
from worker.desk.requests import Requests
from worker.desk.risks import Risks
from worker.desk.robustness import RobustnessView
from worker.desk.roles import Permitted, Still, why_not
from worker.desk.rule_sets import RuleSetsView
from worker.desk.run_chart import RunChart
from worker.desk.run_list import RunList
from worker.desk.run_tables import RunTables
from worker.desk.scanner import Choice, Scanner, ScanRequest
from worker.desk.series_chart import SeriesChart
from worker.desk.session_analysis import SessionAnalysis
from worker.desk.sign_in import Caller, Identity, NotSignedIn, SignedIn, SignIn
from worker.desk.signal_files import SignalFiles
from worker.desk.signed_in import still_of
from worker.desk.splits import Splits, whole_days
from worker.desk.stories import Stories
from worker.desk.strategies import Strategies
from worker.desk.sweeps import Sweeps
from worker.desk.system import System
from worker.desk.tokens import Tokens
from worker.desk.trade_list import TradeList
from worker.desk.trades import Trades
from worker.desk.trail import TrailView
from worker.desk.trail_days import TrailDays
from worker.desk.training import Training, TrainingRequest
from worker.desk.tuning import TuningView
from worker.desk.users import Users
from worker.dispatch import enqueue
from worker.following import begin_request
from worker.hidden import shown
from worker.opened import open_store
from worker.settings import People, Settings, load
from worker.store import Filter, JobFilter, Store
from worker.store.migrate import upgrade
from worker.trouble import addresses, kinds, sentence_of

T = TypeVar("T")


class Desk:
    """All operations of the pages and the terminal: ``jobs``, ``data``, ``series_chart`` (its bars, at any zoom), ``mappings`` (of the columns of files in no known format), ``instruments`` (their table, and its edits), ``downloads`` (of bars, from vendors), ``outside`` (data beside the bars), ``outside_downloads`` (of such data, from vendors), ``histories`` (of accounts elsewhere), ``fields`` (of regulations in order records), ``backtests``, ``before_run`` (what one will cost and take), ``batches`` (several at once), ``sweeps``, ``features``, ``examinations`` (of features), ``regimes``, ``splits`` (of runs by regime), ``training``, ``tuning``, ``models``, ``explanations`` and ``policies`` (of trainings), ``drift`` (of models), ``cost_profiles`` (trading costs under a name), ``form_presets`` (settings of the backtest form under a name), ``signal_files`` (tables of signals to trade), ``strategies`` (that users write), ``rule_sets``, ``compliance`` (paths judged by them), ``chances`` (of passing), ``risks`` (of open positions), ``scanner`` (of all combinations of instrument, strategy and timeframe), ``paper`` (trading sessions), ``session_analysis`` (sessions compared, capital allocated over them, each held against its backtest), ``trail`` (the audit), ``checkpoints`` (signed, of the trail), ``bundle`` (of the trail, for others), ``system`` (settings and health), ``tokens`` (of programs that use the API), ``requests`` (of theirs, answered once), ``executions`` (of others, matched to proposals), ``listing`` (of runs and jobs in parts), ``run_list`` (backtests searched, tagged, favourites), ``sign_in``, ``account`` (one's own), ``users`` (who may sign in), ``approvals`` (of changes that need a second person);
    of a run ``trades``, ``trade_list`` (filtered), ``journal`` (notes on trades), ``run_tables``, ``run_chart`` (its bars, at any zoom) and ``robustness`` (how far to trust it)."""

    def __init__(self, store: Store, settings: Settings, user: str | Actor = "", send: Callable[[str, str, str], bool] = enqueue, still: Still | None = None, one: bool = False, quota: Quota | None = None) -> None:
        """``user``: who acts; a name alone may do everything, as where nobody signs in. ``still``: asks whether the session is valid; ``one``: without a second person, where there was one; ``quota``: of refused files, which all people share."""
        actor = user if isinstance(user, Actor) else Actor(user or settings.user)
        context = DeskContext(store, settings, actor, send, quota or Quota())
        self.actor, self.user, self.settings = actor, context.user, settings
        self.jobs, self.data, self.backtests, self.trail, self.system = JobList(context), Data(context), Backtests(context), TrailView(context), System(context)
        self.downloads = Downloads(context)
        self.checkpoints = CheckpointsView(context)
        self.stories, self.trail_days = Stories(context), TrailDays(context)
        self.sweeps, self.batches = Sweeps(context), Batches(context)
        self.compare, self.features, self.examinations = Compare(context), Features(context), Examinations(context)
        self.regimes = RegimeView(context)
        self.explanations = Explanations(context)
        self.outside, self.outside_downloads = OutsideData(context), OutsideDownloads(context)
        self.bundle = BundleView(context)
        self.histories, self.fields = Histories(context), Fields(context)
        self.splits = Splits(context)
        self.cost_profiles, self.strategies = CostProfilesView(context), Strategies(context)
        self.rule_sets, self.compliance = RuleSetsView(context), Compliance(context)
        self.chances, self.risks = Chances(context), Risks(context)
        self.scanner, self.paper = Scanner(context), Paper(context)
        self.session_analysis = SessionAnalysis(context)
        self.training, self.tuning, self.policies = Training(context), TuningView(context), PolicyView(context)
        self.models, self.drift = Models(context), Drift(context)
        self.trades, self.run_tables, self.robustness = Trades(context), RunTables(context), RobustnessView(context)
        self.journal, self.run_list, self.trade_list = Journal(context), RunList(context), TradeList(context)
        self.run_chart, self.before_run = RunChart(context), BeforeRun(context)
        self.series_chart = SeriesChart(context)
        self.mappings, self.instruments = MappingsView(context), InstrumentList(context)
        self.form_presets, self.signal_files = FormPresetsView(context), SignalFiles(context)
        self.executions = Executions(context)
        self.tokens, self.requests, self.listing = Tokens(context), Requests(context), Listing(context)
        self.sign_in, self.account, self.users = SignIn(context), Account(context), Users(context)
        self.approvals = ApprovalsView(context, lambda unit, maker: Desk(unit, settings, maker, send, one=True))
        self._opened: tuple[Any, ...] = (store, settings, send)
        self._quota = context.quota
        second = self.approvals.ask if settings.people.second and not one else None
        if actor.role != "admin" or still or second:
            for name, part in list(vars(self).items()):
                if type(part).__module__.startswith("worker.desk.") and name not in ("actor", "sign_in"):
                    setattr(self, name, Permitted(part, name, actor, still, second))

    def acting(self, actor: Actor, still: Still | None = None) -> Desk:
        """The same desk for another person or program."""
        store, settings, send = self._opened
        return Desk(store, settings, actor, send, still, quota=self._quota)

    def signed_in(self, secret: str) -> Desk | None:
        """The same desk for whoever has the cookie of a session, as long as it is valid and the role the same; None where it is not."""
        actor = self.sign_in.actor_of(secret)
        return self.acting(actor, still_of(self.sign_in, secret, actor)) if actor else None

    def why_not(self, verb: str) -> str:
        """Why whoever acts may not do ``part.method``, for a button; empty where they may."""
        return why_not(self.actor, verb)


def open_here() -> Desk:
    """The desk of the workspace that config.toml and the environment name, with its database migrated."""
    settings = load()
    store = open_store(settings)
    upgrade(store.engine)
    try:
        CodeKeys(settings.home).seal_stored(store)
    except (OSError, Refused) as error:
        logging.getLogger("page").warning("keys of one-time codes are stored unsealed: %s", error)
    return Desk(store, settings)


def health_here(desk: Callable[[], Desk]) -> list[Health]:
    """The state of each part, also where there is no desk because the database is away."""
    try:
        return desk().system.health()
    except Refused as error:
        return [Health("Database", "failed", str(error))]
    except kinds() as error:
        return [Health("Database", "failed", trouble(error) or type(error).__name__)]


def valid_sessions(desk: Callable[[], Desk], secrets: Collection[str]) -> set[str]:
    """Those cookies whose sessions are valid; ``SourceUnavailable`` where the database does not answer."""
    return signing_in(desk, lambda at: at.sign_in.valid(secrets))


def signing_in(desk: Callable[[], Desk], ask: Callable[[Desk], T]) -> T:
    """What ``ask`` says; ``SourceUnavailable`` where the database does not answer."""
    try:
        return ask(desk())
    except kinds() as error:
        raise SourceUnavailable(trouble(error) or "the database does not answer; try again") from error


def trouble(error: BaseException) -> str:
    """The sentence for what the world did: the database away, the disk full, the workspace closed; nothing for a bug of ours."""
    return sentence_of(error, *addresses(load())) if isinstance(error, kinds()) else ""


def follow_logs() -> bool:
    """Have this process log as the settings say, without their secrets; whether a line a request is wanted."""
    settings = load()
    logs.set_up()
    logs.follow(settings)
    return settings.logs.format == "json"


SourceAway = SourceUnavailable

__all__ = ["Actor", "BacktestRequest", "Caller", "Choice", "Desk", "FeatureRequest", "Filter", "Forbidden", "Identity", "JobFilter", "NotSignedIn", "Part", "People", "Refused", "Report", "ScanRequest", "SecondPerson", "SignedIn", "SignedOut", "SourceAway", "StartRequest", "TradeFilter", "TrainingRequest", "UnknownName", "begin_request", "follow_logs", "health_here", "kinds", "load", "open_here", "shown", "signing_in", "trouble", "valid_sessions", "whole_days"]
