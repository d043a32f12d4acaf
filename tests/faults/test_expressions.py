"""Fuzzed expressions: valid for both evaluators or for neither, quickly refused, and the same values at drawn bars. ``TIDEMARK_CASES`` says how many."""

from __future__ import annotations

import gc
import os
import time

import pytest

from domain.expressions.check import condition
from domain.expressions.syntax import parse
from domain.expressions.tokens import BadExpression
from domain.features.expression import catalogue, uses_in
from tests.domain.expressions.test_expressions import ANSWER, BARS, DRAWN, M5, SLOW, evaluated
from tests.reference.drawn_expressions import Drawn
from tests.reference.expressions import SKIP, Wrong, tree

pytestmark = pytest.mark.faults
CASES = int(os.environ.get("TIDEMARK_CASES", 0)) or 4_000
SEED = int(os.environ.get("TIDEMARK_SEED", 0))
EVALUATED, AT = 25, 4        # one in so many is evaluated, at so many bars


def test_no_expression_breaks_anything():
    names, drawn = catalogue(), Drawn(1_000 + SEED)
    valid, bars, spent = 0, 0, []
    for number in range(CASES):
        text = drawn.wrong() if number % 2 else drawn.condition(1 + number % 4 // 2)
        gc_was = gc.isenabled()
        gc.disable()
        begin = time.thread_time()
        try:
            condition(text, names, M5)
            accepted, column, sentence = True, 1, ""
        except BadExpression as error:
            accepted, column, sentence = False, error.column, str(error)
        spent.append(time.thread_time() - begin)
        if gc_was:
            gc.enable()
        assert 1 <= column <= len(text) + 1, text
        try:
            expected = tree(text, DRAWN)
        except Wrong:
            expected = None
        known = not any(name in sentence for name in ("bars cannot become",))
        assert not (expected is not None and not accepted and known), (text, sentence)
        assert not accepted or expected is not None or {use.name for use in uses_in(parse(text))} - {*DRAWN, "expression"} or "@" in text, text      # the slow one knows four features
        valid += accepted
        if expected is None or not accepted or number % EVALUATED:
            continue
        values = evaluated(text)
        for t in drawn.rng.sample(range(len(BARS)), AT):
            answer = SLOW.at(expected, t)
            assert answer is SKIP or values[t] == ANSWER[answer], (text, t, answer)
            bars += 1
    spent.sort()
    print(f"\n{CASES:,} expressions, {valid:,} of them valid; {bars:,} values compared; parse and check: median {spent[CASES // 2] * 1e3:.2f} ms, 99.9 % {spent[int(CASES * 0.999)] * 1e3:.2f} ms, longest {spent[-1] * 1e3:.2f} ms of CPU")
    assert valid > CASES / 5 and spent[int(CASES * 0.999)] <= 0.005
