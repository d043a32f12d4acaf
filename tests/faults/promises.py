"""What Tidemark promises, P1 to P14, and the tests that hold each promise: what is tried in the short course and in the full one, and the figures that they record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Check:
    """Tests, by the names that pytest takes. ``short``: sizes of the short course, by the environment; in the full one tests have their own. ``figures``: what they record -> words of the table."""

    tests: tuple[str, ...]
    short: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Promise:
    """``goal``: the figure to reach; ``lacks``: what no check shows."""

    name: str
    text: str
    goal: str
    checks: tuple[Check, ...]
    lacks: str = ""


BEYOND = tuple(f"tests/faults/test_{name}.py" for name in ("broker_session_on_a_played_feed", "channel_hangs", "paper_on_a_recorded_day", "sessions_on_real_bars", "three_machines", "training"))      # of no one promise: with the full figures only
FAULTS, STORE, SESSIONS = "tests/faults", "tests/worker/store", "tests/worker/sessions"
PROMISES = (
    Promise("P1", "Any change to history up to the last checkpoint that left is provable offline", "9 of 9 kinds", (
        Check((f"{FAULTS}/test_tampering.py",), dict(TIDEMARK_MUTATIONS=100, TIDEMARK_STORED_MUTATIONS=10)),
        Check((f"{FAULTS}/test_evidence_by_terminal.py", "tests/worker/witness/test_process.py")),
    )),
    Promise("P2", "One total order, no forks", "0 forks", (
        Check((f"{FAULTS}/test_writers.py::test_eight_processes_write_one_order_for_a_minute",), dict(TIDEMARK_SECONDS=20), dict(units_per_s="units a second", p99_ms="ms 99th percentile")),
    )),
    Promise("P3", "Acknowledged means it survives the death of a process", "0 missing", (
        Check((f"{FAULTS}/test_writers.py::test_five_hundred_kills_lose_nothing_that_was_acknowledged",), dict(TIDEMARK_KILLS=60), dict(acknowledged="acknowledged")),
        Check((f"{FAULTS}/test_checkpoints.py",), dict(TIDEMARK_CASES=12), dict(checkpoints="checkpoints")),
    )),
    Promise("P4", "A change of state and its audit event are one", "0 mismatches", (
        Check((f"{STORE}/test_crash.py", f"{SESSIONS}/test_crashes.py", f"{STORE}/test_unit.py")),
    )),
    Promise("P5", "One job, one effect; one intent, one order", "0 duplicates", (
        Check((f"{FAULTS}/test_chaos.py::test_every_job_has_one_effect_whatever_dies",), dict(TIDEMARK_JOBS=80, TIDEMARK_STRIKES=12), dict(takeovers="takeovers")),
        Check((f"{FAULTS}/test_orders_survive.py",), dict(TIDEMARK_CASES=20)),
        Check((f"{FAULTS}/test_broker_session_killed.py",), dict(TIDEMARK_CASES=3)),
    )),
    Promise("P6", "Audit never slows trading", "99th percentile ≤ 50 ms at 200 events a second; ≥ 5,000 a second in batches", (
        Check((f"{FAULTS}/test_trail_speed.py::test_appends_of_eight_writers_never_wait_long",), dict(TIDEMARK_SECONDS=20), dict(p99_ms="ms 99th percentile")),
    )),
    Promise("P7", "Verification is fast", "≥ 20,000 events a second; a proof ≤ 1 KB", (
        Check((f"{FAULTS}/test_trail_speed.py::test_a_million_events_are_appended_verified_and_paged_quickly",), dict(TIDEMARK_EVENTS=100_000), dict(batches_per_s="appended a second", verified_per_s="verified a second", one_ms="ms for one event", one_alone_ms="ms of them without the disk's part of the commit")),
    )),
    Promise("P8", "A killed paper session goes on as if nothing had happened", "the same trades and equity; back ≤ 10 s", (
        Check((f"{FAULTS}/test_paper_survives.py",), dict(TIDEMARK_KILLS=25, TIDEMARK_BARS=2_400), dict(kills="kills", slowest_return_s="s until it was back, at most")),
    )),
    Promise("P9", "A dead worker's job restarts", "≤ 15 s", (
        Check((f"{FAULTS}/test_chaos.py::test_thirty_kills_of_a_running_jobs_worker_each_cost_fifteen_seconds_at_most",), dict(TIDEMARK_ROUNDS=2), dict(slowest_recovery_s="s at most")),
        Check(("tests/worker/test_flow.py::test_kill_9_of_the_worker_costs_fifteen_seconds_at_most",), {}, dict(recovered_after_s="s where it was the only one")),
    )),
    Promise("P10", "Losing Redis loses nothing", "0 jobs lost, all run ≤ 30 s after it is back", (
        Check(tuple(f"tests/worker/test_flow.py::test_{name}" for name in ("flushall_loses_nothing", "kill_9_of_the_queue_server_loses_nothing", "a_queue_server_that_starts_empty_loses_nothing")), {}, dict(all_done_after_s="s until all ran, at most")),
    )),
    Promise("P11", "Rules equal the firms' published examples; no worst case exceeds the headroom", "all; 0", (
        Check((f"{FAULTS}/test_gate.py",), dict(TIDEMARK_SEQUENCES=5_000)),
        Check(("tests/worker/test_terminal_judge.py", "tests/domain/compliance/test_replay.py", "tests/domain/compliance/test_rules.py")),
    )),
    Promise("P12", "The kill switch latches", "with worker, queue, database or page down, over a restart; loop stops ≤ 1 s", (
        Check((f"{FAULTS}/test_halt_with_all_away.py",), {}, dict(latched_s="s until it latched, at most")),
        Check((f"{SESSIONS}/test_halts.py",)),
    ), "flattening within 2 s is not timed: that it is requested at the next instant is asserted"),
    Promise("P13", "Hostile input is inert", "0", (
        Check((f"{FAULTS}/test_expressions.py",), dict(TIDEMARK_CASES=1_000)),
        Check(("tests/app/api/test_document.py", "tests/app/api/test_hostile.py"), dict(TIDEMARK_CASES=2)),
        Check(("tests/app/api/test_strict.py", "tests/app/api/test_refusals.py", "tests/worker/test_cells.py", "tests/worker/test_terminal_hostile.py", "tests/app/test_text.py", "tests/app/test_tables.py", "tests/app/test_guard.py", "tests/worker/test_logs.py", "tests/worker/test_trouble.py")),
    )),
    Promise("P14", "Labels are honest", "never compliant, certified or FTC; each preset shows source, date and confidence", (
        Check(("tests/app/test_compliance.py", "tests/domain/compliance/test_rule_set.py", "tests/domain/compliance/fields/test_fields.py")),
    )),
)  # fmt: skip
