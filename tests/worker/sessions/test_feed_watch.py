"""How a feed is, written where it changes, and told to people when it goes and comes back."""

from __future__ import annotations

from types import SimpleNamespace

from domain.live.quotes import FeedState
from worker.sessions.feed_watch import FeedWatch


class Feed:
    away, ages = "", {"EURUSD": 2.0}

    def state(self):
        return FeedState(self.away, 5, dict(self.ages), {})

    def shown(self):
        return ()

    def silent(self, names):
        return tuple(f"{name} has had no price for {self.ages[name]:.0f} s" for name in names if self.ages[name] > 30)


def test_a_feed_that_goes_and_comes_back_is_reported_once_each(store, begin):
    begin("gold")
    feed, watch = Feed(), FeedWatch(clock=lambda: 1_000.0)
    work = SimpleNamespace(name="gold", feed=feed, exposed=("EURUSD",), feed_before={})
    for away, age in (("", 2.0), ("", 2.4), ("no answer", 40.0), ("no answer", 41.0), ("", 1.0)):
        feed.away, feed.ages = away, {"EURUSD": age}
        watch.step(store, [work])
    with store.read() as unit:
        assert [(message.severity, message.text) for message in unit.messages.after(0)] == [
            ("warning", "gold: no answer"), ("critical", "gold: EURUSD has had no price for 40 s"), ("info", "gold: the feed is back"), ("info", "gold: EURUSD: the alarm of missing prices is over"),
        ]  # fmt: skip
        assert unit.sessions.progress("gold").feed["newest"] == {"EURUSD": 999}


def test_nothing_new_writes_nothing(store, begin, monkeypatch):
    begin("gold")
    watch, work = FeedWatch(clock=lambda: 1_000.0), SimpleNamespace(name="gold", feed=Feed(), exposed=(), feed_before={})
    watch.step(store, [work])
    monkeypatch.setattr(type(store), "unit", None)
    watch.step(store, [work])


def test_an_alarm_that_stood_before_a_restart_is_not_raised_again(store, begin):
    begin("gold")
    feed = Feed()
    feed.ages = {"EURUSD": 40.0}
    for _ in range(2):
        with store.read() as unit:
            before = dict(unit.sessions.progress("gold").feed)
        FeedWatch(clock=lambda: 1_000.0).step(store, [SimpleNamespace(name="gold", feed=feed, exposed=("EURUSD",), feed_before=before)])
    with store.read() as unit:
        assert [message.severity for message in unit.messages.after(0)] == ["critical"]
