"""The walk-forward efficiency: never the ratio of two losses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.optimise import compared, efficiency


def folds(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame(dict(in_sample_days=365.25, out_of_sample_days=91.3125) | {f"{name}_return": values for name, values in columns.items()})


def test_a_loss_after_a_loss_has_no_ratio():
    table = folds(in_sample=[-0.415, 0.2, 1e-17, 0.2], out_of_sample=[-0.326, 0.025, 0.1, -0.05])
    retained = compared(table)["kept"]
    assert np.isnan(retained[0]) and np.isnan(retained[2]) and retained[1] == pytest.approx(0.5) and retained[3] == pytest.approx(-1.0)
    assert efficiency(folds(in_sample=[-0.415], out_of_sample=[-0.326])) is None and efficiency(folds(in_sample=[1e-17], out_of_sample=[0.1])) is None


def test_a_year_of_losses_loses_no_more_than_all():
    table = compared(folds(in_sample=[-0.415, np.nan, -1.1], out_of_sample=[-0.326, np.nan, 0.1]))
    assert table["out_of_sample_yearly"].iloc[0] == pytest.approx(0.674**4 - 1) and table["out_of_sample_yearly"].iloc[2] == pytest.approx(1.1**4 - 1)
    assert table["in_sample_yearly"].iloc[2] == -1.0 and np.isnan(table["kept"].iloc[1])
