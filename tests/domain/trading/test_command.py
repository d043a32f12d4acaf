"""Commands and their file: what is written is read back, and what cannot be is a sentence."""

from __future__ import annotations

import json

import pytest

from domain.errors import BadRequest
from domain.trading.command import command, instant_of, read_commands, text_of, write_commands
from domain.trading.verbs import VERBS

HEAD = "ts,who,command,arguments,reason\n"
EXAMPLES = {
    "pause": {}, "continue": {}, "close": {"instrument": "EURUSD", "side": "long", "share": 1 / 3, "tag": "", "trade": 4}, "close-all": {},
    "order": {"instrument": "EURUSD", "side": "buy", "lots": 0.1, "stop": 1.0, "target": 1.2}, "set": {"parameters": {"lookback": 30, "words": "a,\"b\"\nc"}, "strategy": "breakout"},
    "enable": {"strategy": "breakout"}, "disable": {}, "blackout": {"add": "Fri 20:00-Sun 23:00 Europe/Athens; 12:25-12:35 UTC"}, "stop": {"close": True}, "halt": {"keep": True},
    "release": {}, "adopt": {"client_id": "gold-5-0", "close": True}, "approve": {"order": 3, "series": "EURUSD M5", "strategy": "breakout"},
}  # fmt: skip


def test_every_verb_has_an_example_here():
    assert set(EXAMPLES) == set(VERBS)


def test_what_is_written_is_read_back():
    commands = [command(1_700_000_000_000_000_000 + number, 'ana "the" trader', verb, arguments, "because,\nof é") for number, (verb, arguments) in enumerate(EXAMPLES.items())]
    text = write_commands(commands)
    assert read_commands(text) == commands and write_commands(read_commands(text)) == text


def test_rows_are_read_in_the_order_of_their_times_and_equal_ones_as_they_stand():
    rows = [("2024-03-05T10:00:01Z", "pause"), ("2024-03-05T11:00:00+01:00", "continue"), ("2024-03-05T10:00:00Z", "close-all")]
    assert [each.command for each in read_commands(HEAD + "".join(f"{ts},ana,{verb},,\n" for ts, verb in rows))] == ["continue", "close-all", "pause"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "commands.csv has the columns none; it must have ts, who, command, arguments, reason"),
        ("ts,who\n", "commands.csv has the columns ts, who; it must have ts, who, command, arguments, reason"),
        (HEAD + "2024-03-05T10:00:00Z,ana\n", "row 1 of commands.csv has 2 cells; it must have 5: ts, who, command, arguments, reason"),
        (HEAD + ",ana,pause,,\n", "row 1 of commands.csv: ts is ''; write it in ISO 8601 with its zone, such as 2024-01-31T08:00:00Z"),
        (HEAD + "1709632800,ana,pause,,\n", "row 1 of commands.csv: ts is '1709632800'; write it in ISO 8601 with its zone, such as 2024-01-31T08:00:00Z"),
        (HEAD + "9999-03-05T10:00:00Z,ana,pause,,\n", "row 1 of commands.csv: ts is '9999-03-05T10:00:00Z'; write it in ISO 8601 with its zone, such as 2024-01-31T08:00:00Z"),
        (HEAD + "2024-03-05T10:00:00Z,,pause,,\n", "row 1 of commands.csv: the command pause does not say who gave it; give who"),
        (HEAD + "2024-03-05T10:00:00Z,ana,pose,,\n", "row 1 of commands.csv: no command named 'pose'; did you mean 'pause'?"),
        (HEAD + "2024-03-05T10:00:00Z,ana,pause,[1],\n", "row 1 of commands.csv: arguments is a list; it must be a JSON object. Write it like '{\"share\": 0.5}'"),
        (HEAD + '2024-03-05T10:00:00Z,ana,pause,{,\n', "row 1 of commands.csv: arguments is not JSON: it cannot be read from line 1, column 2 on. Write it like '{\"share\": 0.5}'"),
        (HEAD + '2024-03-05T10:00:00Z,ana,pause,"{""x"":1}",\n', "row 1 of commands.csv: no parameter of Pause named 'x'; there are none yet"),
        (HEAD + "2024-03-05T10:00:00Z,ana,release,,\n", "row 1 of commands.csv: release needs a reason; say why trading may go on"),
        (HEAD + '2024-03-05T10:00:00Z,"ana,release,,\n', "commands.csv is no CSV file: unexpected end of data"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named(text, sentence):
    with pytest.raises(BadRequest) as error:
        read_commands(text)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("verb", "arguments", "sentence"),
    [
        ("close", {"share": 0}, "share is 0; it must be above 0 and at most 1"),
        ("close", {"share": 1.5}, "share is 1.5 of the lots open; it must be between 0.0 and 1.0"),
        ("close", {"side": "up"}, "no side named 'up'; there are long, short"),
        ("order", {}, "an order names no instrument; give one, as in instrument EURUSD"),
        ("order", {"instrument": "EURUSD"}, "an order has no side; give side long or short"),
        ("order", {"instrument": "EURUSD", "side": "buy"}, "an order has no lots; give lots above 0"),
        ("order", {"instrument": "EURUSD", "side": "buy", "lots": float("nan")}, "lots is nan lots; it must be at least 0.0"),
        ("order", {"instrument": "EURUSD", "side": "sell", "lots": 1, "stop": 1.0, "target": 1.1}, "stop 1.0 and target 1.1 lie the wrong way round for a short order"),
        ("set", {}, 'set changes nothing; give parameters, as in {"parameters": {"lookback": 30}}'),
        ("set", {"parameters": 5}, "parameters is 5; it must be a JSON object of names and values"),
        ("blackout", {}, 'blackout needs either add or remove, as in {"add": "12:25-12:35 UTC"}'),
        ("blackout", {"add": "a", "remove": "b"}, 'blackout needs either add or remove, as in {"add": "12:25-12:35 UTC"}'),
        ("approve", {}, "approve names no proposal; give order, the order_id that the proposal shows"),
    ],
)  # fmt: skip
def test_arguments_are_checked(verb, arguments, sentence):
    with pytest.raises(BadRequest) as error:
        command(0, "ana", verb, arguments)
    assert str(error.value) == sentence


def test_times_keep_every_nanosecond():
    for ts in (0, 1, 1_700_000_000_123_456_789, 1_700_000_000_500_000_000, -1):
        assert instant_of(text_of(ts)) == ts


def test_arguments_are_plain_json():
    assert all(json.loads(json.dumps(arguments)) == arguments for arguments in EXAMPLES.values())
