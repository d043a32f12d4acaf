"""Recipes in the database."""

from __future__ import annotations


def test_a_recipe_is_saved_replaced_and_removed(store):
    with store.unit() as unit:
        assert unit.recipes.put("mine", ["atr(14)", "macd(12, 26)@H1"], "for trends", "ana", unit.now())
        assert unit.recipes.put("another", ["body"], "", "ana", unit.now())
    with store.unit() as unit:
        before = unit.recipes.get("mine")
        assert (before.columns, before.note, before.actor) == (("atr(14)", "macd(12, 26)@H1"), "for trends", "ana")
        assert not unit.recipes.put("mine", ["body"], "", "ben", unit.now())
    with store.read() as unit:
        assert [(recipe.name, recipe.columns, recipe.actor) for recipe in unit.recipes.all()] == [("another", ("body",), "ana"), ("mine", ("body",), "ben")]
    with store.unit() as unit:
        assert unit.recipes.remove("mine") and not unit.recipes.remove("mine") and unit.recipes.get("mine") is None
