"""Saved rule sets: versions that are only added."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError


def save(store, name: str, text: str, retired: bool = False):
    with store.unit() as unit:
        return unit.rule_sets.add(name, text, "ftmo-2-step", "why", "ana", unit.now(), retired)


def test_each_save_is_a_version_and_the_newest_is_listed(store):
    first, second, other = save(store, "mine", "a = 1"), save(store, "mine", "a = 2"), save(store, "another", "a = 3")
    assert (first.version, second.version, other.version) == (1, 2, 1)
    assert second.digest == hashlib.sha256(b"a = 2").hexdigest()
    with store.read() as unit:
        assert [row.name for row in unit.rule_sets.all()] == ["another", "mine"] and unit.rule_sets.get("mine") == second
        assert unit.rule_sets.get("mine", 1) == first and unit.rule_sets.versions("mine") == [second, first]
        assert unit.rule_sets.get("nothing") is None and unit.rule_sets.get("mine", 3) is None


def test_a_retired_rule_set_leaves_the_list_and_keeps_its_versions(store):
    save(store, "mine", "a = 1")
    save(store, "mine", "a = 1", retired=True)
    with store.read() as unit:
        assert unit.rule_sets.all() == [] and len(unit.rule_sets.versions("mine")) == 2
    assert save(store, "mine", "a = 4").version == 3
    with store.read() as unit:
        assert [row.text for row in unit.rule_sets.all()] == ["a = 4"]


@pytest.mark.parametrize("attempt", ["UPDATE rule_sets SET text = ''", "DELETE FROM rule_sets", "REPLACE"])
def test_no_version_is_changed_or_removed(store, kind, attempt):
    save(store, "mine", "a = 1")
    if attempt == "REPLACE":
        attempt = "INSERT OR REPLACE INTO rule_sets SELECT * FROM rule_sets" if kind == "sqlite" else "TRUNCATE rule_sets"
    with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.execute(sa.text(attempt))
