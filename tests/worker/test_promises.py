"""Each promise has tests that there are, and what came out of them is written where it belongs."""

from __future__ import annotations

from pathlib import Path

from tests.faults.promises import BEYOND, PROMISES, Check, Promise
from tests.faults.report import BEGIN, END, HEAD, Outcome, row_of, write

ROOT = Path(__file__).resolve().parents[2]


def test_fourteen_promises_each_name_tests_that_there_are():
    assert [each.name for each in PROMISES] == [f"P{number}" for number in range(1, 15)]
    for promise in PROMISES:
        for name in (name for check in promise.checks for name in check.tests):
            file, _, test = name.partition("::")
            assert ((ROOT / file).exists() and f"def {test}(" in (ROOT / file).read_text()) or not test, name


def test_no_test_of_faults_is_left_out():
    named = {name.partition("::")[0] for promise in PROMISES for check in promise.checks for name in check.tests} | set(BEYOND)
    assert {f"tests/faults/{path.name}" for path in (ROOT / "tests" / "faults").glob("test_*.py")} <= named


def test_every_figure_of_the_table_is_recorded_by_a_test_and_every_size_is_read_by_one():
    for check in (check for promise in PROMISES for check in promise.checks):
        text = "".join((ROOT / name.partition("::")[0]).read_text() for name in check.tests)
        assert all(f'"{figure}"' in text or f"{figure}=" in text for figure in check.figures), check.tests
        assert all(size in text or f'"{size.removeprefix("TIDEMARK_")}"' in text for size in check.short), check.tests


def test_a_promise_that_is_not_held_says_so_and_so_does_what_no_check_shows():
    promise = Promise("P2", "One order", "0 forks", (Check(("tests/a/test_writers.py",)), Check(("tests/a/test_writers.py", "tests/b/test_kills.py"))), "nothing of a third database")
    row = row_of(promise, [Outcome(dict(passed=2, skipped=1), 4.0, {}), Outcome(dict(failed=1), 2.0, {})])
    assert row == "| P2 | One order | 0 forks | `test_writers`, `test_kills` | 2 passed, 1 failed, 1 skipped in 6 s; nothing of a third database |"


def test_the_table_is_written_between_its_marks_and_nowhere_else(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert write(page, HEAD) and page.read_text() == f"before\n{BEGIN}\n{HEAD}{END}\nafter\n"
    page.write_text("no marks\n")
    assert not write(page, HEAD) and page.read_text() == "no marks\n"
