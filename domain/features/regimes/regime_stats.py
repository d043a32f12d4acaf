"""Statistics of labelled bars: frequency, duration, and the return of the next bar."""

from __future__ import annotations

import numpy as np
import pandas as pd

YEAR = 365.25 * 86_400e9    # nanoseconds


def regime_statistics(labels: pd.Categorical, close: np.ndarray, ends: np.ndarray) -> pd.DataFrame:
    """One row a regime: ``regime, bars, share, spells, lasted, next_bar, volatility``.

    ``share`` is of the bars that have a label; ``spells`` are unbroken stretches of one label, ``lasted`` their mean length in bars. ``next_bar`` is the
    mean log return of the bar after each one so labelled, which is the first that could be traded knowing it; ``volatility`` the deviation of those
    returns × √(bars a year), bars a year counted from ``ends`` (nanoseconds). NaN where there is no value.

    >>> labels = pd.Categorical(["calm", "calm", "wild", None], categories=["calm", "wild"])
    >>> regime_statistics(labels, np.exp([0.0, 1.0, 3.0, 2.0]), np.arange(4) * YEAR)[["bars", "spells", "lasted", "next_bar", "volatility"]].values.tolist()
    [[2.0, 1.0, 2.0, 1.5, 0.5], [1.0, 1.0, 1.0, -1.0, 0.0]]
    """
    codes = np.asarray(labels.codes, np.int64)
    count = len(labels.categories)
    begins = np.flatnonzero(np.diff(codes, prepend=-2) != 0)
    bars, spells = (np.bincount(of[of >= 0], minlength=count) for of in (codes, codes[begins]))
    with np.errstate(all="ignore"):
        following = np.append(np.diff(np.log(np.asarray(close, np.float64))), np.nan)
        mean, deviation = _moments(following, codes, count)
        a_year = (len(ends) - 1) * YEAR / float(ends[-1] - ends[0]) if len(ends) > 1 and ends[-1] > ends[0] else np.nan
        return pd.DataFrame(dict(regime=[str(name) for name in labels.categories], bars=bars, share=bars / bars.sum(), spells=spells, lasted=bars / spells, next_bar=mean, volatility=deviation * np.sqrt(a_year)))


def transition_shares(labels: pd.Categorical) -> np.ndarray:
    """How often each label (row) was followed by each at the next bar, as shares of the row; NaN for a label that was never followed by one.

    >>> transition_shares(pd.Categorical(["calm", "calm", "wild", None], categories=["calm", "wild"])).tolist()
    [[0.5, 0.5], [nan, nan]]
    """
    codes, count = np.asarray(labels.codes, np.int64), len(labels.categories)
    adjacent = (codes[1:] >= 0) & (codes[:-1] >= 0)
    counts = np.bincount(codes[:-1][adjacent] * count + codes[1:][adjacent], minlength=count * count).reshape(count, count)
    with np.errstate(invalid="ignore"):
        return counts / counts.sum(axis=1, keepdims=True)


def spells(labels: pd.Categorical, most: int) -> tuple[pd.DataFrame, int]:
    """Unbroken stretches as ``first, last`` (places, both inside) and ``regime``, at most ``most`` of them, and how many bars were taken together:
    1 where each stretch is there; else each block of so many bars bears its most frequent label. Stretches without a label are left out.

    >>> spells(pd.Categorical(["calm", "calm", "wild", None], categories=["calm", "wild"]), 10)[0].values.tolist()
    [[0, 1, 'calm'], [2, 2, 'wild']]
    >>> spells(pd.Categorical(["calm", "wild", "wild", "calm"] * 2, categories=["calm", "wild"]), 2)[1]
    4
    """
    codes, size = np.asarray(labels.codes, np.int64), 1
    firsts = _begins(codes)
    if np.count_nonzero(codes[firsts] >= 0) > most:
        size = -(-len(codes) // most)
        codes = _commonest(codes, size, len(labels.categories))
        firsts = _begins(codes)
    lasts = np.append(firsts[1:], len(codes)) * size - 1
    some = codes[firsts] >= 0
    names = np.array([str(name) for name in labels.categories], object)
    return pd.DataFrame(dict(first=firsts[some] * size, last=np.minimum(lasts[some], len(labels) - 1), regime=names[codes[firsts[some]]] if some.any() else [])), size


def _begins(codes: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.diff(codes, prepend=-2) != 0)


def _commonest(codes: np.ndarray, size: int, count: int) -> np.ndarray:
    """The most frequent code of each block, −1 for none among them."""
    block = np.arange(len(codes)) // size
    counts = np.bincount(block * (count + 1) + codes + 1, minlength=(block[-1] + 1) * (count + 1)).reshape(-1, count + 1)
    return counts.argmax(axis=1) - 1


def _moments(values: np.ndarray, codes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the finite values of each code."""
    some = (codes >= 0) & np.isfinite(values)
    own, of = codes[some], values[some]
    number = np.bincount(own, minlength=count)
    mean = np.bincount(own, of, minlength=count) / number
    return mean, np.sqrt(np.bincount(own, (of - mean[own]) ** 2, minlength=count) / number)
