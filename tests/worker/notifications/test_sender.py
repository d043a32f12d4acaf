"""Messages go out over a channel: severity, once by key, 20 a minute, retries for a day, a summary of the rest. Time is handed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from domain.audit.checkpoint import Checkpoint
from domain.audit.collection import split
from domain.audit.keys import SigningKey
from tests.databases import KINDS
from worker.notifications.channels import Channel, channels_of
from worker.notifications.sender import Sender
from worker.notifications.wording import head_of
from worker.store.message_sends import GIVEN_UP, SENT, WAITING
from worker.store.messages import Message
from worker.store.schema import message_sends

START = datetime(2026, 8, 3, 10, tzinfo=UTC)


@pytest.fixture(params=["sqlite"])
def kind(request) -> str:
    """One database is enough where nothing depends on it."""
    return request.param


class Channels:
    """A store, a clock that is set by hand, and a channel that records what it is given; ``up`` False: it takes nothing."""

    def __init__(self, store) -> None:
        self.store, self.at, self.up = store, START, True
        self.letters, self.calls = [], []

    def send(self, letter) -> bool:
        self.calls.append(self.at)
        if self.up:
            self.letters.append(letter)
        return self.up

    def sender(self, minimum="info", name="json-1") -> Sender:
        return Sender(self.store, Channel(name, minimum, "json://x"), self.send, lambda: "key-print", lambda unit: self.at)

    def write(self, *messages: Message) -> None:
        with self.store.unit() as unit:
            unit.messages.write(messages, self.at)

    def run(self, sender: Sender, seconds: int) -> None:
        for _ in range(seconds):
            sender.step()
            self.at += timedelta(seconds=1)

    def next_at(self) -> datetime | None:
        """When the next message that waits is due."""
        with self.store.engine.connect() as connection:
            return connection.scalar(select(func.min(message_sends.c.next_at)).where(message_sends.c.state == WAITING))

    def states(self) -> dict[str, int]:
        with self.store.engine.connect() as connection:
            rows = connection.execute(message_sends.select()).mappings().all()
        return {state: sum(row["state"] == state for row in rows) for state in (WAITING, SENT, GIVEN_UP)}


@pytest.fixture
def channel(store) -> Channels:
    return Channels(store)


def info(number: int, severity: str = "info") -> Message:
    return Message(f"gold:fill:{number}", severity, f"gold: fill {number}.", "gold")


@pytest.mark.parametrize("kind", KINDS, indirect=True)
def test_a_message_is_sent_once_by_its_key_with_the_head_of_the_trail(channel):
    with channel.store.unit() as unit:
        unit.audit("ana", "session_started", "session:gold")
        unit.messages.write([info(1), info(1)], channel.at)
    channel.write(info(1))
    channel.run(channel.sender(), 5)
    channel.run(channel.sender(), 5)        # another process begins
    (letter,) = channel.letters
    with channel.store.read() as unit:
        rows, head = unit.trail.head()
    assert letter.body == f"gold: fill 1.\n\nMessage 1, 2026-08-03 10:00:00 UTC\nAudit trail: {rows} events, head {head}\nKey: key-print"
    assert (letter.title, letter.severity) == ("Tidemark: info", "info")


def test_the_signed_checkpoint_in_a_message_is_read_as_a_checkpoint_file(store):
    key = SigningKey("tidemark.example/desk", bytes([5] * 32))
    with store.unit() as unit:
        unit.audit("ana", "session_started", "session:gold")
    with store.unit() as unit:
        root = unit.trail.root(1)
        note = Checkpoint(key.name, 1, bytes.fromhex(root), 1_790_000_000).signed(key).render()
        unit.checkpoints.add(1, root, key.verifier.id.hex(), note, unit.now())
    with store.read() as unit:
        head = head_of(unit, "key-print")
    assert list(split(f"gold: fill 1.\n\n{head}\n")) == [note]


def test_a_channel_takes_its_severities_only(channel):
    channel.write(info(1), info(2, "warning"), info(3, "critical"))
    channel.run(channel.sender("warning"), 2)
    assert [letter.severity for letter in channel.letters] == ["critical", "warning"]       # the most severe first


def test_a_message_that_was_rolled_back_is_not_sent(channel):
    with pytest.raises(ZeroDivisionError), channel.store.unit() as unit:
        unit.messages.write([info(1)], channel.at)
        raise ZeroDivisionError
    channel.run(channel.sender(), 3)
    assert not channel.letters


@pytest.mark.parametrize("kind", KINDS, indirect=True)
def test_20_calls_a_minute_the_last_of_them_with_all_the_rest(channel):
    channel.write(*(info(k) for k in range(60)), info(99, "critical"))
    sender = channel.sender()
    channel.run(sender, 30)
    assert len(channel.letters) == 20
    assert channel.letters[0].severity == "critical"
    assert channel.letters[-1].title == "Tidemark: 42 more messages"
    assert "42 info, messages 19 to 60:\ngold: fill 18." in channel.letters[-1].body
    assert "and 32 more\n\nAudit trail: " in channel.letters[-1].body
    channel.write(info(100))
    channel.run(sender, 30)
    assert len(channel.letters) == 20       # this minute is used up
    channel.run(sender, 2)
    assert channel.letters[-1].body.startswith("gold: fill 100.")


def test_no_minute_ever_has_more_than_20_calls_also_while_they_fail(channel):
    channel.up = False
    channel.write(*(info(k) for k in range(12)))
    sender = channel.sender()
    channel.run(sender, 100)
    channel.up = True
    while next_at := channel.next_at():
        channel.at = max(next_at, channel.at + timedelta(seconds=1))
        sender.step()
    assert channel.states() == {WAITING: 0, SENT: 12, GIVEN_UP: 0}
    for at in channel.calls:
        assert sum(timedelta() <= other - at < timedelta(minutes=1) for other in channel.calls) <= 20


def test_what_fails_is_tried_again_after_5_s_doubling_to_10_min_for_a_day(channel):
    channel.up = False
    channel.write(info(1))
    sender = channel.sender()
    sender.step()
    while next_at := channel.next_at():
        channel.at = next_at - timedelta(seconds=1)
        assert sender.step() == 0       # not a second early
        channel.at = next_at
        sender.step()
    gaps = [(after - before).total_seconds() for before, after in zip(channel.calls, channel.calls[1:], strict=False)]
    assert gaps[:9] == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    assert set(gaps[7:]) == {600}
    assert START + timedelta(hours=23, minutes=50) <= channel.calls[-1] <= START + timedelta(days=1)
    assert channel.states()[GIVEN_UP] == 1
    with channel.store.read() as unit:
        (event,) = [each for each in unit.trail.all() if "notification_given_up" in each.kind]
    assert "1 message could not be sent over json-1 for a day." in event.body


def test_one_that_is_refused_does_not_hold_the_others(channel):
    sender, send = channel.sender(), channel.send
    sender._send = lambda letter: "fill 1." not in letter.body and send(letter)
    channel.write(info(1), info(2), info(3))
    channel.run(sender, 10)
    assert ["fill 2" in letter.body or "fill 3" in letter.body for letter in channel.letters] == [True, True]


def test_a_process_that_was_killed_while_the_channel_answered_sends_again(channel):
    def killed(letter):
        raise KeyboardInterrupt

    channel.write(info(1))
    sender = channel.sender()
    sender._send = killed
    with pytest.raises(KeyboardInterrupt):
        sender.step()
    channel.run(channel.sender(), 10)
    assert len(channel.letters) == 1


def test_a_new_channel_gets_what_is_at_most_a_day_old(channel):
    channel.write(info(1))
    channel.at += timedelta(days=1, seconds=1)
    channel.write(info(2))
    channel.run(channel.sender(), 2)
    assert ["fill 2" in letter.body for letter in channel.letters] == [True]


def test_two_channels_get_each_message_and_have_each_their_own_minute(channel):
    channel.write(*(info(k) for k in range(25)))
    for name in ("json-1", "json-2"):
        channel.run(channel.sender(name=name), 1)
    assert len(channel.letters) == 40
    assert channel.states()[SENT] == 50


def test_rows_of_what_was_sent_long_ago_are_forgotten(channel):
    channel.write(info(1))
    sender = channel.sender()
    channel.run(sender, 1)
    channel.at += timedelta(days=4)
    channel.run(sender, 1)
    assert channel.states() == {WAITING: 0, SENT: 0, GIVEN_UP: 0}
    assert len(channel.letters) == 1


def test_addresses_are_separated_by_what_stands_between_two_of_them():
    text = "json://h/a?to=x,y, warning:mailto://u:p@h\n critical:json://h/b;json://h/c"
    assert [(each.minimum, each.url) for each in channels_of(text)] == [
        ("info", "json://h/a?to=x,y"), ("warning", "mailto://u:p@h"), ("critical", "json://h/b"), ("info", "json://h/c"),
    ]  # fmt: skip
    assert channels_of("") == ()
    assert "h/a" not in repr(channels_of(text))
