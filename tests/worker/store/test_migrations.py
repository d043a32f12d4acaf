"""The migrations make the tables that the program declares, once, whoever comes first."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from domain.errors import BadRequest
from tests.worker.store.racers import first_to_upgrade, race
from worker.store.engine import make_engine
from worker.store.migrate import current, head, reachable, upgrade
from worker.store.schema import meta

CHECKPOINTS = ("checkpoints", "checkpoint_receipts")
SESSIONS = ("session_tape", "session_commands")
MODELS = ("models", "model_stages", "trial_datasets", "instrument_versions")
SQLITE_TRIGGERS = {
    *(f"audit_{table}_no_{verb}" for table in ("events", "links", "nodes") for verb in ("update", "delete")),
    "audit_events_link", "audit_links_new", "audit_nodes_new", "trials_no_update", "trials_no_delete", "trials_new",
    "rule_sets_no_update", "rule_sets_no_delete", "rule_sets_new", "written_strategies_no_update", "written_strategies_no_delete", "written_strategies_new",
    *(f"{table}_{what}" for table in (*CHECKPOINTS, *MODELS, *SESSIONS) for what in ("no_update", "no_delete", "new")), "model_stages_one",
}  # fmt: skip
POSTGRES_TRIGGERS = {*(f"audit_{table}_no_{what}" for table in ("events", "links", "nodes") for what in ("change", "truncate")), "audit_events_link", "model_stages_one", *(f"{table}_no_{what}" for table in ("trials", "rule_sets", "written_strategies", "session_tape", *MODELS) for what in ("change", "truncate")), *(f"{table}_no_{what}" for table in (*CHECKPOINTS, "session_commands") for what in ("update", "delete", "truncate"))}
POSTGRES_FUNCTIONS = {"session_commands_once", "audit_append", "audit_chain", "audit_deny", "audit_link", "audit_lock", "audit_one_production"}


@pytest.fixture
def engine(empty_database):
    engine_ = make_engine(empty_database)
    yield engine_
    engine_.dispose()


def test_the_migrations_make_what_the_program_declares(engine):
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=dict(compare_type=True, compare_server_default=True, include_object=ours))
        assert compare_metadata(context, meta) == []


def ours(thing, name, kind, reflected, compared) -> bool:
    return name != "alembic_version"


def test_a_second_upgrade_does_nothing(engine):
    assert upgrade(engine) is True and upgrade(engine) is False
    with engine.connect() as connection:
        assert current(connection) == head()


def test_an_empty_database_has_no_revision(engine):
    with engine.connect() as connection:
        assert current(connection) is None


def test_the_database_itself_guards_the_trail(engine, kind):
    upgrade(engine)
    with engine.connect() as connection:
        if kind == "sqlite":
            assert set(connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))) == SQLITE_TRIGGERS
        else:
            always = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'A'"
            assert set(connection.scalars(sa.text(always))) == POSTGRES_TRIGGERS
            functions = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            assert set(connection.scalars(sa.text(functions))) == POSTGRES_FUNCTIONS


def test_several_processes_may_upgrade_at_once(empty_database):
    assert sorted(map(str, race(first_to_upgrade, 6, empty_database))) == ["False"] * 5 + ["True"]


def test_a_newer_database_is_refused_with_a_sentence(engine):
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BadRequest, match=r"the database is at revision 9999, newer than this program's .*: start the newer program, or restore a backup"):
        upgrade(engine)


def test_a_migration_that_fails_leaves_nothing(engine, monkeypatch):
    from worker.store import migrate

    def half(connection):
        connection.execute(sa.text("CREATE TABLE half (a INTEGER)"))
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(migrate, "_run", half)
        upgrade(engine)
    assert sa.inspect(engine).get_table_names() == [] and upgrade(engine)


def test_a_database_that_answers_is_reachable(engine):
    assert reachable(engine) == ""


@pytest.mark.parametrize("url", ["postgresql://ana:canary@127.0.0.1:1/tidemark", "postgresql://ana:canary@nowhere.invalid/tidemark"])
def test_a_database_that_does_not_answer_says_why_in_one_line_without_its_password(url):
    why = reachable(make_engine(url))
    assert why and "\n" not in why and "canary" not in why


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "tidemark.db").write_text("no database at all, but some text that is long enough to be looked at")
    assert "not a database" in reachable(make_engine(f"sqlite:///{tmp_path / 'tidemark.db'}"))
