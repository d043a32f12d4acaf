"""A model run by ONNX Runtime: rows one at a time as many at once, and from several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from domain.models.forest import Forest
from domain.models.served import Served, session_of
from tests.domain.models.samples import samples
from tests.domain.models.test_learners import ignore

pytestmark = pytest.mark.xdist_group("learners")


@pytest.fixture(scope="module")
def content() -> bytes:
    every = samples("classes")
    return Forest(trees=4).fit(every.take(np.arange(700)), every.take(np.arange(0)), 3, ignore).onnx()


def test_a_row_alone_gives_the_bits_it_has_among_others(content):
    served, rows = Served(content, 3), samples("classes").rows()[:50]
    plain = session_of(content).run(["outputs"], {"rows": rows})[0].astype(np.float64)
    alone = [served.predict(rows[number : number + 1]) for number in range(50)]
    assert np.array_equal(served.predict(rows), plain) and np.array_equal(np.concatenate(alone), plain), "and no result is written over by the next"
    assert served.predict(rows[:0]).shape == (0, 3)


def test_a_row_alone_may_be_of_any_number_type_and_order(content):
    served, rows = Served(content, 3), samples("classes").rows()[:20]
    for given in (rows.astype(np.float64), np.asfortranarray(rows), rows[::2]):
        assert np.array_equal(served.predict(given[3:4]), served.predict(given[3:5])[:1])


def test_a_row_of_another_width_is_refused_as_many_are(content):
    served, rows = Served(content, 3), samples("classes").rows()[:2]
    served.predict(rows[:1])
    for wrong in (rows[:1, :1], rows[:, :1], rows[:1, :0]):
        with pytest.raises(Exception, match=r"(?i)invalid|dimension"):
            served.predict(wrong)
    assert np.array_equal(served.predict(rows[:1]), served.predict(rows)[:1]), "and the next one is served"


def test_threads_do_not_read_each_others_rows(content):
    served, rows = Served(content, 3), samples("classes").rows()[:200]
    every = served.predict(rows)
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(lambda number: served.predict(rows[number : number + 1])[0], list(range(200)) * 3))
    assert np.array_equal(np.array(alone), np.concatenate([every] * 3))
