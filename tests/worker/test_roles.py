"""What a role may do, enforced where the desk is asked: every method that changes something needs a right."""

from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path

import pytest

import worker.desk
from domain.errors import Forbidden
from worker.desk import Actor, Desk
from worker.desk.actor import RIGHTS
from worker.desk.roles import NEEDS, Permitted

FOLDER = Path(worker.desk.__file__).parent
ANYBODY = {     # they write, and everybody may: what leaves is recorded
    "backtests.download", "batches.download", "compare.report", "compare.download_several", "compliance.download", "data.download", "data.write_download", "data.download_repairs", "data.download_example", "examinations.download",
    "explanations.download", "features.download", "fields.download", "histories.download", "instruments.download", "models.export", "outside.download", "paper.download", "policies.download", "regimes.download", "rule_sets.download",
    "rule_sets.download_difference", "run_tables.download", "scanner.download", "splits.download_split", "strategies.download", "sweeps.download",
    "trade_list.download", "training.download", "tuning.download", "trail.csv", "trail.jsonl", "trail.text", "trail.checkpoint_file", "trail.key_file", "bundle.write", "bundle.proof", "bundle.submit", "bundle.fetch", "trail.table",
    "jobs.submit_system", "tokens.actor_of", "tokens.used", "requests.begin", "requests.end", "requests.forget_old", "training.progress",       # of the system itself
    "tokens.create", "tokens.revoke", "sign_in.by_password", "sign_in.by_identity", "sign_in.actor_of", "sign_in.sign_out",      # each for oneself
    "account.end", "account.sign_out", "account.change_password", "account.offer_code", "account.confirm_code", "account.drop_code",
    "approvals.ask", "approvals.approve", "approvals.refuse", "approvals.withdraw",      # who may make the change
}  # fmt: skip
WRITES = (".unit()", "._context.submit(", ".wake(")


@pytest.fixture
def kind() -> str:
    return "sqlite"


def texts() -> list[tuple[str, str]]:
    """Name and source of every function and method of the desk."""
    nodes = (node for path in FOLDER.glob("*.py") for node in ast.walk(ast.parse(path.read_text())))
    return [(node.name, ast.unparse(node)) for node in nodes if isinstance(node, ast.FunctionDef)]


def helpers() -> set[str]:
    """Private functions that write, themselves or by others of their kind; and the one that starts sessions."""
    parts = [(name, text) for name, text in texts() if name.startswith("_") or name == "started"]
    result = {name for name, text in parts if any(mark in text for mark in WRITES)}
    while more := {name for name, text in parts if name not in result and any(f"{each}(" in text for each in result)}:
        result |= more
    return result


def writes(method: object, private: set[str]) -> bool:
    text = textwrap.dedent(inspect.getsource(method))       # type: ignore[arg-type]
    return any(mark in text for mark in WRITES) or any(f"{each}(" in text for each in private)


def test_every_method_of_the_desk_that_writes_needs_a_right_or_is_a_download(desk: Desk):
    private, missing = helpers(), []
    for name, part in vars(desk).items():
        if not name.startswith("_") and type(part).__module__.startswith("worker.desk."):
            methods = [method for method, result in vars(type(part)).items() if not method.startswith("_") and inspect.isfunction(result) and writes(result, private)]
            missing += [f"{name}.{method}" for method in methods if f"{name}.{method}" not in NEEDS and f"{name}.{method}" not in ANYBODY]
    assert not missing


def test_the_table_of_rights_names_methods_that_there_are(desk: Desk):
    assert not [name for name in {*NEEDS} | ANYBODY if not callable(getattr(getattr(desk, name.partition(".")[0], None), name.partition(".")[2], None))]


@pytest.mark.parametrize("role", RIGHTS)
def test_a_role_is_refused_exactly_what_it_has_no_right_to(desk: Desk, role: str):
    acting = desk.acting(Actor("bob", role))
    for need, right in NEEDS.items():
        part, _, method = need.partition(".")
        if part not in vars(acting):
            continue
        result = getattr(getattr(acting, part), method)
        if right in RIGHTS[role]:
            assert getattr(result, "__self__", None) is not None
        else:
            with pytest.raises(Forbidden, match=role):
                result()


def test_a_person_without_a_right_reads_all_the_same(desk: Desk):
    viewer = desk.acting(Actor("eve", "viewer"))
    assert isinstance(viewer.backtests, Permitted) and viewer.backtests.strategies() == desk.backtests.strategies() and viewer.jobs.latest() == []
