"""Every example in a docstring runs, and says what it says."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = [
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
    for package in ("app", "benchmarks", "domain", "pages", "worker")
    for path in sorted((ROOT / package).rglob("*.py"))
    if ">>>" in path.read_text()
]


def test_there_are_examples():
    assert len(MODULES) > 40


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, extraglobs=dict(np=np, pd=pd, Series=pd.Series, DataFrame=pd.DataFrame))
    assert result.attempted > 0 and result.failed == 0
