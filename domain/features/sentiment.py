"""How news sounds: headlines scored by the words in them, or by whatever else gives a text a number, and their mean as it fades."""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features.base import Column, feature
from domain.market.calendar import bar_ends
from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe
from domain.market.zones import HOUR
from domain.outside.timed_values import NOTHING, TimedValues

LEXICON = Path(__file__).with_name("lexicon.toml")
REACH = 3               # words after a negation that it turns
FORGOTTEN = 40.0        # half-lives after which a headline weighs 1e-12 of a new one
CENTURY = 876_600.0     # hours
AT_ONCE = 2_000         # headlines that are scored between two reports of progress
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


class Scorer(Protocol):
    """Gives a text a number from −1 (negative) to +1 (positive). The lexicon does it by words; a language model may do it better."""

    def __call__(self, text: str) -> float: ...


@dataclass(frozen=True)
class Lexicon:
    """Scores of words by their forms, words that turn or scale what follows, and bad things of which more is worse. Called with a text it is a Scorer."""

    words: Mapping[str, float]
    forms: Mapping[str, str]
    negations: frozenset[str]
    strength: float
    degrees: Mapping[str, float]
    burdens: frozenset[str]
    movements: frozenset[str]

    def __call__(self, text: str) -> float:
        """tanh of the sum of the scores of the words in it: 0 where it has none of them."""
        return math.tanh(sum(self.scores(text)))

    def scores(self, text: str) -> list[float]:
        """What each known word of a text adds, in order."""
        added: list[float] = []
        negation_left = burden_left = burden = 0     # words over which the last negation, and the last burden, still reach; where that burden stands in ``added``
        degree = 1.0
        for word, entry in self.entries(text):
            negation_left, burden_left = max(negation_left - 1, 0), max(burden_left - 1, 0)
            if entry is not None:
                value = self.words[entry] * degree * (-self.strength if negation_left else 1.0)
                if burden_left and entry in self.movements:
                    value, added[burden], burden_left = -value, 0.0, REACH + 1
                if entry in self.burdens:
                    burden, burden_left = len(added), REACH + 1
                added.append(value)
            negation_left = REACH + 1 if word in self.negations else negation_left
            degree = self.degrees.get(word, 1.0)
        return added

    def entries(self, text: str) -> Iterator[tuple[str, str | None]]:
        """The words of a text, each with the entry that it is a form of; two that are one entry come as one."""
        words = [word.replace("'s", "").replace("'", "") for word in WORD.findall(text.lower().replace("’", "'"))]
        i = 0
        while i < len(words):
            pair = self.forms.get(" ".join(words[i : i + 2])) if i + 1 < len(words) else None
            yield (words[i], self.forms.get(words[i])) if pair is None else (pair, pair)
            i += 1 if pair is None else 2


@cache
def lexicon() -> Lexicon:
    """The shipped one."""
    table = tomllib.loads(LEXICON.read_text(encoding="utf-8"))
    words, negations, burdens = table["words"], table["negations"], table["burdens"]
    forms = {form: word for word in words for form in _forms(word)} | {word: word for word in words}
    return Lexicon(words, forms, frozenset(negations["words"]), negations["strength"], table["degrees"], frozenset(burdens["things"]), frozenset(burdens["movements"]))


def _forms(word: str) -> Iterator[str]:
    """A word and what English makes of it: falls, rallies, rallied, dropping, eased."""
    yield from (word + "s", word + "es", word + "ed", word + "ing", word + word[-1] + "ed", word + word[-1] + "ing")
    if word.endswith("e"):
        yield from (word + "d", word[:-1] + "ing")
    if word.endswith("y"):
        yield from (word[:-1] + "ies", word[:-1] + "ied")


def score(text: str) -> float:
    """How good a text sounds by the shipped lexicon, −1 to 1: 0 for one without a word that it knows.

    >>> round(score("Stocks plunge as recession fears grow"), 2), round(score("Dollar rallies on strong jobs data"), 2)
    (-0.95, 0.76)
    >>> round(score("No recession in sight"), 2), round(score("Unemployment falls"), 2), score("Fed minutes at 14:00")
    (0.48, 0.29, 0.0)
    """
    return lexicon()(text)


def scorer_name() -> str:
    """The name of the shipped lexicon under which its scores are stored: another list of words is another scorer.

    >>> scorer_name().partition(" ")[0]
    'lexicon'
    """
    return f"lexicon {hashlib.sha256(LEXICON.read_bytes()).hexdigest()[:8]}"


def read_headlines(frame: pd.DataFrame, scorer: Scorer = score) -> TimedValues:
    """The scores of headlines, each known from when it appeared: ``frame`` has ``ts``, aware times, and ``headline``. What has no text is left out.

    >>> news = pd.DataFrame({"ts": pd.to_datetime(["2024-07-11T12:31Z", "2024-07-11T12:30Z"]), "headline": ["Dollar slides", "Inflation eases"]})
    >>> read_headlines(news, lambda text: len(text) / 100).values.tolist()
    [0.15, 0.13]
    """
    for name in ("ts", "headline"):
        if name not in frame:
            raise BadRequest(f"the headlines have no column {name!r}; they need ts, when each appeared, and headline")
    frame = frame[frame["headline"].notna() & frame["ts"].notna()]
    if frame.empty:
        return NOTHING
    if not isinstance(frame["ts"].dtype, pd.DatetimeTZDtype):
        raise BadRequest("the times of the headlines have no zone; give aware times, such as ones in UTC")
    frame = frame.sort_values("ts", kind="stable")
    scores = np.array([scorer(str(text)) for text in frame["headline"]], np.float64)
    if not (np.abs(scores) <= 1).all():
        wrong = int((~(np.abs(scores) <= 1)).argmax())
        raise BadRequest(f"the scorer gave {scores[wrong]} for {frame['headline'].iloc[wrong]!r}; a score lies between −1 and 1")
    return TimedValues(frame["ts"].dt.as_unit("ns").to_numpy("datetime64[ns]").view(np.int64), scores)


def scored(frame: pd.DataFrame, scorer: Scorer = score, watch: Callable[[float], None] = lambda share: None) -> pd.DataFrame:
    """``ts, headline, score`` of headlines in order; ``watch`` receives the share done.

    >>> news = pd.DataFrame({"ts": pd.to_datetime(["2024-07-11T12:30Z"]), "headline": ["Inflation eases"]})
    >>> scored(news, lambda text: len(text) / 100)["score"].tolist()
    [0.15]
    """
    parts = []
    for first in range(0, len(frame), AT_ONCE):
        watch(first / len(frame))
        parts.append(read_headlines(frame.iloc[first : first + AT_ONCE], scorer).values)
    return frame.assign(score=[value for part in parts for value in part])


@feature(unit="score, −1 to 1", source="own definition", low=-1.0, high=1.0)
def sentiment(ts: np.ndarray, headlines: TimedValues, instrument: Instrument | None, timeframe: Timeframe | None, *, half_life: float = 24.0) -> Column:
    """Mean score of the headlines known by the bar's end, newer ones counting more:  Σ s_i · w_i / Σ w_i,  w_i = 2^(−age_i / ``half_life``),
    ages in hours of the clock. Weekends count; without news it stays as it was. NaN before the first headline, and where the bars' timeframe is not known.

    >>> hour = 3_600_000_000_000
    >>> news = TimedValues(np.array([2 * hour, 3 * hour]), np.array([1.0, -0.5]))
    >>> sentiment([0, hour, 2 * hour], news, None, Timeframe.named("H1"), half_life=1.0).tolist()
    [nan, 1.0, 0.0]
    """
    from domain.features.kernels.decay import fading_means
    from domain.features.kernels.sessions import passed

    if half_life <= 0:
        raise BadRequest(f"half_life of sentiment is {half_life}; it must be above 0 hours")
    if timeframe is None or not len(ts) or not len(headlines.times):
        return np.full(len(ts), np.nan)
    ends = bar_ends(np.asarray(ts, np.int64), timeframe, instrument.calendar if instrument else None)
    first, last = np.searchsorted(headlines.times, [ends[0], ends[-1]], side="right")
    oldest = headlines.times[max(first - 1, 0)] - int(min(FORGOTTEN * half_life, CENTURY) * HOUR)
    recent = slice(np.searchsorted(headlines.times, oldest), last)
    times, scores = headlines.times[recent], headlines.values[recent]
    faded = np.append(fading_means(times, scores, half_life * HOUR), np.nan)    # row −1, before the first, is its last place
    return faded[passed(ends, times) - 1]
