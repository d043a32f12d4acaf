"""Answers of vendors kept on this machine: whole and young ones are used again, others are asked for again."""

from __future__ import annotations

import os
import time

import pandas as pd

from domain.market.source import Missing, Page, Span, nothing
from tests.conformance.source_rig import random_bars
from worker.answers import LASTS, Answers, answer_key

SPAN = Span(0, 10)


def page(*missing: Missing) -> Page:
    return Page(SPAN, random_bars(days=2), missing, ("a note",))


def test_a_page_comes_back_as_it_was(tmp_path):
    answers, limit = Answers(tmp_path), Missing(SPAN, "limit", "no further back")
    answers.put("a" * 64, page(limit))
    back = answers.get("a" * 64, SPAN)
    pd.testing.assert_frame_equal(back.bars, page().bars, check_exact=True)
    assert (back.missing, back.notes) == ((limit,), ("a note",))
    answers.put("b" * 64, Page(SPAN, nothing()))
    assert len(answers.get("b" * 64, SPAN).bars) == 0 and answers.get("c" * 64, SPAN) is None


def test_what_is_damaged_old_or_has_a_hole_is_requested_again(tmp_path):
    answers = Answers(tmp_path)
    answers.put("a" * 64, page())
    (path,) = tmp_path.glob("*/*")
    whole = path.read_bytes()
    for damaged in (whole[:-5], b"", whole[:200] + b"x" + whole[201:], b"[]" + whole[2:]):
        path.write_bytes(damaged)
        assert answers.get("a" * 64, SPAN) is None
    path.write_bytes(whole)
    os.utime(path, (time.time() - LASTS - 5,) * 2)
    assert answers.get("a" * 64, SPAN) is None
    answers.sweep()
    assert not path.exists()
    answers.put("d" * 64, page(Missing(SPAN, "empty", "an hour is empty")))
    assert answers.get("d" * 64, SPAN) is None


def test_another_question_has_another_key():
    request = dict(series="yahoo EURUSD=X EURUSD M1 mid", start=0, end=10, at=0)
    assert len({answer_key(**request), answer_key(**request | dict(at=1)), answer_key(**request | dict(end=11)), answer_key(**request | dict(series="oanda"))}) == 4
