"""Runs, every trial, and what people keep beside them."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, UniqueConstraint

from worker.store.schema.base import Instant, meta

runs = Table(
    "runs", meta,
    Column("id", String(16), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("job_id", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("manifest", JSON, nullable=False),               # what decided: data versions, code, parameters, seeds, libraries
    Column("summary", JSON, nullable=False),                # metrics, counts, a short curve
    Column("frames", JSON, nullable=False),                 # name -> content hash
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
    Column("example", Boolean, nullable=False),
    Column("synthetic", Boolean, nullable=False),
)  # fmt: skip
Index("ix_runs_kind_created", runs.c.kind, runs.c.created_at)

trials = Table(                                             # the ledger of all that was tried; append-only
    "trials", meta,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("kind", String(16), nullable=False),             # run, sweep, optuna, walk_forward, terminal, train, tune
    Column("data", String(64), nullable=False),             # hash of the datasets' versions
    Column("strategy", String(64), nullable=False),         # its family: the registered name
    Column("params", String(64), nullable=False),           # hash of the parameters
    Column("spec", String(64), nullable=False),             # hash of data, span, parameters and rules: the same one is the same trial
    Column("sharpe", Float),                                # daily, not annualised; empty: too few days
    Column("days", Integer, nullable=False),
    Column("job_id", String(16), nullable=False),
)  # fmt: skip
Index("ix_trials_data_strategy", trials.c.data, trials.c.strategy)

trial_datasets = Table(                                     # the datasets that a trial touched; append-only
    "trial_datasets", meta,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("version", String(64), primary_key=True),        # of the dataset
)  # fmt: skip
Index("ix_trial_datasets_version", trial_datasets.c.version)

recipes = Table(                                            # sets of features that people named
    "recipes", meta,
    Column("name", String(64), primary_key=True),
    Column("columns", JSON, nullable=False),                # texts, as domain.features.parse reads them
    Column("note", Text, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
)  # fmt: skip

cost_profiles = Table(                                      # trading costs that people named
    "cost_profiles", meta,
    Column("name", String(64), primary_key=True),
    Column("instruments", JSON, nullable=False),            # that it is for; none: for all
    Column("costs", JSON, nullable=False),                  # changed values of Costs
    Column("source", Text, nullable=False),
    Column("dated", String(10), nullable=False),            # the day that the numbers hold for, ISO
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
)  # fmt: skip

form_presets = Table(                                       # settings of the backtest form that people named
    "form_presets", meta,
    Column("name", String(64), primary_key=True),
    Column("settings", JSON, nullable=False),               # a backtest's spec without its data and period
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
)  # fmt: skip

written_strategies = Table(                                 # that users wrote; append-only
    "written_strategies", meta,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),                   # JSON, as domain.strategies.definition reads it
    Column("digest", String(64), nullable=False),           # SHA-256 of the text
    Column("why", Text, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("retired", Boolean, nullable=False),             # this version takes the strategy off the lists
)  # fmt: skip

strategy_drafts = Table(                                    # strategies that are not understood: kept, never run
    "strategy_drafts", meta,
    Column("name", String(128), primary_key=True),
    Column("given", JSON, nullable=False),
    Column("sentence", Text, nullable=False),               # what is not understood
    Column("actor", String(128), nullable=False),
    Column("at", Instant, nullable=False),
)  # fmt: skip

rule_sets = Table(                                          # of compliance, that people edited; append-only
    "rule_sets", meta,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),                   # TOML, as domain.compliance reads it
    Column("digest", String(64), nullable=False),           # SHA-256 of the text
    Column("base", String(64), nullable=False),             # the preset that it began from
    Column("why", Text, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("retired", Boolean, nullable=False),             # this version takes the rule set off the lists
)  # fmt: skip

models = Table(                                             # versions of models under a name; append-only
    "models", meta,
    Column("id", String(16), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("learner", String(64), nullable=False),
    Column("target", String(64), nullable=False),
    Column("run_id", String(16), nullable=False),           # the run that trained it; empty: trained on files
    Column("spec_hash", String(64), nullable=False),        # of the question
    Column("digest", String(64), nullable=False),           # of name, version, files and manifest
    Column("files", JSON, nullable=False),                  # name -> SHA-256
    Column("frames", JSON, nullable=False),                 # samples, folds, predictions -> content hash
    Column("manifest", JSON, nullable=False),               # data, code, parameters, seed, threads, libraries
    Column("scores", JSON, nullable=False),                 # the report: verdict, trials, control, scores, baselines
    Column("synthetic", Boolean, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("name", "version", name="uq_models_name"),
)  # fmt: skip

model_stages = Table(                                       # where each version stands, the last row counts; append-only
    "model_stages", meta,
    Column("id", String(32), primary_key=True),             # model and number
    Column("model_id", String(16), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("stage", String(16), nullable=False),            # candidate, production, retired
    Column("at", Instant, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", JSON, nullable=False),               # the gates at that time
)  # fmt: skip

trade_notes = Table(                                        # a trading journal: what people wrote about a trade, the last word on each
    "trade_notes", meta,
    Column("question", String(64), primary_key=True),       # spec hash of the run: the same question run again has the same notes
    Column("trade", Integer, primary_key=True, autoincrement=False),
    Column("run_id", String(16), nullable=False),           # where it was written
    Column("instrument", String(64), nullable=False),       # with side and opening: which trade it is about
    Column("side", String(8), nullable=False),
    Column("opened", Instant, nullable=False),
    Column("note", Text, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("at", Instant, nullable=False),
)  # fmt: skip

run_tags = Table(                                           # what people sort runs by
    "run_tags", meta,
    Column("run_id", String(16), primary_key=True),
    Column("tag", String(40), primary_key=True),
    Column("actor", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_run_tags_tag", "tag"),
)  # fmt: skip

run_favourites = Table(                                     # of one person each
    "run_favourites", meta,
    Column("run_id", String(16), primary_key=True),
    Column("actor", String(128), primary_key=True),
    Column("at", Instant, nullable=False),
)  # fmt: skip
