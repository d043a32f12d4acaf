"""The share of the sizer's lots that a model gives to a signal it takes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.training.applied import Applied


def test_a_share_is_given_also_to_a_signal_that_has_no_size_of_its_own():
    """Three entries, of which the second is not taken, and an exit: 0.5 of the usual size, and 0.25 of the half that the signal itself asks for."""
    table = pd.DataFrame(dict(instrument="EURUSD", number=[0, 1, 2], start=0, source="model", taken=[True, False, True], size=[0.5, 1.0, 0.25]))
    signals = pd.DataFrame(dict(order=["market", "market", "limit", "exit"], size=[np.nan, np.nan, 0.5, np.nan]))
    kept = Applied(table, pd.Timestamp("2024-01-01", tz="UTC")).keep("EURUSD", signals)
    assert kept["order"].tolist() == ["market", "limit", "exit"]
    assert kept["size"].iloc[:2].tolist() == [0.5, 0.125] and np.isnan(kept["size"].iloc[2])


def test_whole_shares_leave_the_signals_as_they_are():
    table = pd.DataFrame(dict(instrument="EURUSD", number=[0, 1], start=0, source="model", taken=[True, True], size=[1.0, 1.0]))
    signals = pd.DataFrame(dict(order=["market", "market"], size=[np.nan, 0.5]))
    pd.testing.assert_frame_equal(Applied(table, pd.Timestamp("2024-01-01", tz="UTC")).keep("EURUSD", signals), signals)
