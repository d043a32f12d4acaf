"""Cache of computed columns on disk: entries are intact, and the folder stays within its limit with concurrent writers."""

from __future__ import annotations

import hashlib
import os
import threading
import time

import numpy as np
import pytest

from worker.store.columns import HEAD, Columns

ONE = 8 * 1_000 + HEAD      # bytes of a column here


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def column(number: int) -> np.ndarray:
    return np.random.default_rng(number).normal(size=1_000)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "columns"


def test_what_was_put_is_read_to_the_bit_by_another_worker(folder):
    values = column(1)
    values[:3] = np.nan, -0.0, np.inf
    Columns(folder, 100 * ONE)[key(1)] = values
    seen = Columns(folder, 100 * ONE)
    assert key(1) in seen and key(2) not in seen and len(seen) == 1 and list(seen) == [key(1)]
    assert seen[key(1)].tobytes() == values.tobytes() and seen[key(1)].flags.writeable
    del seen[key(1)]
    assert key(1) not in seen
    with pytest.raises(KeyError):
        seen[key(1)]


def test_the_oldest_go_first_and_reading_makes_young(folder):
    columns = Columns(folder, 10 * ONE)
    for number in range(10):
        columns[key(number)] = column(number)
        os.utime(columns._path(key(number)), (1_000 + number, 1_000 + number))
    assert key(0) in Columns(folder, 10 * ONE), "read, so young again"
    columns[key(10)] = column(10)
    left = {number for number in range(11) if columns._path(key(number)).exists()}
    assert {0, 10} <= left and 1 not in left and left - {0} == set(range(min(left - {0}), 11)) and columns.bytes <= 10 * ONE


def test_a_key_that_was_there_a_moment_ago_still_is_when_its_file_goes(folder):
    columns = Columns(folder, 10 * ONE)
    columns[key(1)] = column(1)
    seen = Columns(folder, 10 * ONE)
    assert key(1) in seen
    seen._path(key(1)).unlink()
    assert seen[key(1)].tobytes() == column(1).tobytes()


@pytest.mark.parametrize("spoil", [lambda content: content[:-8], lambda content: content[:40] + b"\x01" + content[41:], lambda content: b""])
def test_a_spoilt_file_is_as_if_it_were_not_there(folder, spoil):
    columns = Columns(folder, 10 * ONE)
    columns[key(1)] = column(1)
    path = columns._path(key(1))
    path.write_bytes(spoil(path.read_bytes()))
    assert key(1) not in Columns(folder, 10 * ONE)


def test_without_room_nothing_is_written_and_all_goes_on(folder):
    columns = Columns(folder, 0)
    columns[key(1)] = column(1)
    assert not folder.exists() and columns[key(1)].tobytes() == column(1).tobytes()


def test_half_files_of_the_dead_are_swept(folder):
    columns = Columns(folder, 10 * ONE)
    columns[key(1)] = column(1)
    for name, age in (("old", 7_200), ("new", 10)):
        half = columns._path(key(1)).with_name(f"{name}.part")
        half.write_bytes(b"x")
        os.utime(half, (time.time() - age,) * 2)
    columns[key(2)] = column(2)
    assert {path.name for path in folder.glob("*/*.part")} == {"new.part"} and len(columns) == 2


def test_many_writers_keep_one_limit_and_read_only_whole_columns(folder):
    wrong = []

    def work(seed: int) -> None:
        columns, rng = Columns(folder, 20 * ONE), np.random.default_rng(seed)
        for number in rng.integers(0, 60, 150).tolist():
            if key(number) not in columns:
                columns[key(number)] = column(number)
            if columns[key(number)].tobytes() != column(number).tobytes():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and Columns(folder, 20 * ONE).bytes <= 24 * ONE and not list(folder.glob("*/*.part"))
