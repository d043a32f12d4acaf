"""Stored bars as a feed: ends before opens, from where it stood, at its speed, bad bars named."""

from __future__ import annotations

import math
from dataclasses import replace

from domain.live.quotes import Ended, Instant, Opened
from tests.worker.sessions.double import MINUTE, bar, bars
from worker.sessions.replay_feed import Bad, Over, ReplayFeed


def events_of(feed):
    reported = []
    while events := feed.next(0.0):
        reported.append(events)
    return reported


def test_at_an_instant_bars_end_before_bars_open():
    reported = events_of(ReplayFeed(bars(10)))
    assert [[type(event) for event in events] for events in (reported[0], reported[5], reported[-2], reported[-1])] == [
        [Opened, Opened, Instant], [Ended, Ended, Opened, Opened, Instant], [Ended, Ended, Instant], [Over],
    ]  # fmt: skip
    assert [events[-1].at // MINUTE for events in reported[:-1]] == list(range(11))


def test_it_goes_on_after_the_last_instant_that_was_worked():
    whole = events_of(ReplayFeed(bars(10)))
    assert all(events_of(ReplayFeed(bars(10), after=instant * MINUTE)) == whole[instant + 1 :] for instant in range(11))


def test_at_a_multiple_of_real_time_an_instant_waits_until_it_is_due():
    now = [0.0]
    feed = ReplayFeed(bars(5), speed=60.0, clock=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    assert feed.next(0.0)[-1] == Instant(0) and not feed.next(0.0) and not feed.next(0.4)
    assert feed.next(0.7)[-1] == Instant(MINUTE) and now[0] == 1.0 and not feed.eager


def test_a_bad_bar_is_reported_as_such_and_the_next_ones_come():
    good = [bar("EURUSD M1", start, 1) for start in range(4)]
    bad = replace(good[1], high=math.nan)
    reported = [event for events in events_of(ReplayFeed({"EURUSD M1": [good[0], bad, good[2], good[0], good[3]]})) for event in events]
    assert next(event.bar for event in reported if isinstance(event, Bad)).ts == MINUTE and [event.bar.ts for event in reported if isinstance(event, Bad)][1] == 0
    assert [event.ts // MINUTE for event in reported if isinstance(event, Opened)] == [0, 2, 3]
