"""One table of outcomes: whatever the kernel counts has its words."""

from domain.analytics.checks.counted import COUNTED
from domain.backtest.state import COUNT, REASON
from domain.trading.outcomes import COUNTS, DROPS, KINDS, LIMIT_DROPS, REASONS, VERDICTS, label, sentence


def test_every_outcome_has_a_label_and_a_sentence_of_its_own():
    labels = [label(key) for key in (*COUNTS, *REASONS, *VERDICTS)]
    assert all(text and "_" not in text and text[0].isupper() for text in labels)
    assert len({KINDS[key].label for key in COUNTS}) == len({sentence(key) for key in COUNTS}) == len(COUNTS)
    assert all(sentence(key).endswith(".") for key in COUNTS)


def test_the_kernels_codes_are_places_in_the_table():
    assert list(COUNT) == list(COUNTS) and list(REASON) == list(REASONS)
    assert set(LIMIT_DROPS) < set(DROPS) < set(COUNTS)


def test_the_linter_reports_those_that_have_a_severity():
    assert {key: severity for key, (severity, _) in COUNTED.items()} == {key: kind.severity for key, kind in KINDS.items() if kind.severity}
