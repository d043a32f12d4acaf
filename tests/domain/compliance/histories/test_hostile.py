"""Statements that are broken, or written to do harm: each is read as text, or refused with a sentence, in bounded time."""

from __future__ import annotations

import os
import random
import time

import pytest

from domain.compliance.histories import HistoryLimits, read
from domain.errors import BadRequest
from tests.domain.compliance.histories import statements

CASES = int(os.environ.get("TIDEMARK_CASES", "40"))


def got(folder, content, name="s.htm", **more):
    return read(statements.written(folder, name, content), clock="UTC+2", currency="USD", **more)


def test_markup_in_a_cell_is_text_and_scripts_are_not_read(tmp_path):
    evil = statements.MT4_HTML.replace('title="#9244 robot[tp]"', 'title="&lt;script&gt;alert(1)&lt;/script&gt;"')
    evil = evil.replace(
        "<body", "<script>document.write('<tr><td>1</td></tr>')</script><!-- <tr><td>1</td></tr> --><body"
    )
    history = got(tmp_path, evil)
    assert history.balance == 9302.25 and history.trades["comment"].iloc[0] == "<script>alert(1)</script>"


@pytest.mark.parametrize("opening", ["<!--", "<td title='", "<![CDATA[", "<?php ", "</"])
def test_a_tag_that_never_ends_is_refused_quickly(opening, tmp_path):
    started = time.process_time()
    with pytest.raises(BadRequest, match=r"without an end|no column|is longer|No closed trade|holds no closed trade"):
        got(tmp_path, statements.MT4_HTML.split('<tr align=right><td title="Deposit">')[0] + opening + "x" * 3_000_000)
    assert time.process_time() - started < 5


def test_a_million_nested_tags_need_no_depth(tmp_path):
    text = statements.MT4_HTML.replace("<b>Working Orders:</b>", "<b>" * 200_000 + "Working Orders:")
    assert got(tmp_path, text).balance == 9302.25


def test_too_many_rows_and_too_many_bytes_are_refused(tmp_path):
    with pytest.raises(BadRequest, match="more than 20 rows"):
        got(tmp_path, statements.MT4_HTML, limits=HistoryLimits(max_rows=20))
    with pytest.raises(BadRequest, match="the limit is"):
        got(tmp_path, statements.MT4_HTML, limits=HistoryLimits(max_bytes=1_000))


def test_cells_with_absurd_numbers_are_refused_and_not_computed_with(tmp_path):
    for number in ("1e308", "9" * 40, "inf", "nan", "0x10"):
        with pytest.raises(BadRequest, match="is not a number"):
            got(tmp_path, statements.MT4_HTML.replace("<td class=mspt>500.00</td>", f"<td class=mspt>{number}</td>"))


def test_spans_and_cells_without_measure_are_bounded(tmp_path):
    wide = statements.MT4_HTML.replace("<td colspan=10>&nbsp;</td>", "<td colspan=999999999999>&nbsp;</td>").replace(
        "<td>eurusd.p</td>", "<td>" + "e" * 1_000_000 + "</td>", 1
    )
    assert len(got(tmp_path, wide).trades["symbol"].iloc[0]) <= 4_000


def test_a_quotation_mark_that_never_ends_is_refused_or_read(tmp_path):
    with pytest.raises(BadRequest):
        got(tmp_path, statements.MT4_CSV + '1,"' + "x" * 300_000, "s.csv")


@pytest.mark.parametrize("format", sorted(statements.FILES))
def test_a_file_with_random_damage_is_read_or_refused_with_a_sentence(format, tmp_path):
    random_ = random.Random(len(format))
    name, content = statements.FILES[format]
    for _ in range(max(CASES // len(statements.FILES), 1)):
        damaged = bytearray(content)
        for _ in range(random_.randrange(1, 4)):
            start = random_.randrange(len(damaged))
            damaged[start : start + random_.randrange(1, 40)] = random_.randbytes(random_.randrange(0, 8))
        try:
            got(tmp_path, bytes(damaged), name, initial=10_000.0)
        except BadRequest as error:
            assert str(error)
