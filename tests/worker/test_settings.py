"""``config.toml`` gives the settings, the environment overrides it, and a mistake is a clear message."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace

import pytest

from domain.errors import BadRequest, UnknownName
from domain.params import params_of
from worker.settings import NOT_SETTINGS, ROOT, SECTIONS, SHORT, Settings, load

TEXT = (ROOT / "config.toml").read_text()
DOCUMENT = tomllib.loads(TEXT)
KEYS = [(section, param) for section, cls in SECTIONS.items() for param in params_of(cls)]
NAMES = [f"{section}.{param.name}" for section, param in KEYS]


def section_text(name: str) -> str:
    return re.split(r"(?m)^\[\w+\]", TEXT.split(f"\n[{name}]", 1)[1])[0]


def another(param) -> object:
    """A value that the parameter may have and that is not its default."""
    if param.choices:
        return next(choice for choice in param.choices if choice != param.default)
    if param.type is bool:
        return not param.default
    if param.type in (int, float):
        low = param.low if param.low is not None else 0.0
        return param.type(low if param.default != low else low + 1)
    return "other" if param.type is str else {"EURUSD": {"spread": 0.8}}


TOGETHER = {"limits.daily_gate": {"TIDEMARK_LIMITS_DAILY_LOSS": "0.05"}}      # refused without another


def test_the_file_as_it_ships_changes_nothing():
    assert replace(load(ROOT / "config.toml", {}), folder=ROOT, origin={}) == Settings()


@pytest.mark.parametrize(("section", "param"), KEYS, ids=NAMES)
def test_every_setting_stands_in_the_file_with_its_default(section, param):
    """One whose default is nothing is shown commented out."""
    if param.default is None or param.default == {}:
        assert param.name not in DOCUMENT[section] and re.search(rf"(?m)^# {param.name} = ", section_text(section))
    else:
        assert DOCUMENT[section][param.name] == param.default and type(DOCUMENT[section][param.name]) is param.type


def test_nothing_stands_in_the_file_that_is_no_setting():
    assert {f"{section}.{key}" for section, values in DOCUMENT.items() if isinstance(values, dict) for key in values} <= set(NAMES)
    assert {key for key, value in DOCUMENT.items() if not isinstance(value, dict)} == {"example"} and DOCUMENT["example"] is Settings().example


@pytest.mark.parametrize(("section", "param"), KEYS, ids=NAMES)
def test_the_environment_overrides_every_setting(section, param):
    name = f"TIDEMARK_{section.upper()}_{param.name.upper()}"
    text = json.dumps(value) if isinstance(value := another(param), dict) else str(value)
    settings = load(ROOT / "config.toml", {name: text, **TOGETHER.get(f"{section}.{param.name}", {})})
    assert getattr(getattr(settings, section), param.name) == another(param) != param.default
    assert settings.origin[f"{section}.{param.name}"] == f"environment, {name}"


@pytest.mark.parametrize(("name", "dotted"), SHORT.items())
def test_the_two_addresses_have_short_names(name, dotted):
    section, key = dotted.split(".")
    settings = load(ROOT / "config.toml", {name: "redis://host"})
    assert getattr(getattr(settings, section), key) == "redis://host" and settings.origin[dotted] == f"environment, {name}"


def test_an_empty_variable_is_none_at_all():
    settings = load(ROOT / "config.toml", {"TIDEMARK_APP_PORT": "", "TIDEMARK_EXAMPLE": ""})
    assert settings.app.port == 8501 and settings.origin["app.port"] == "config.toml"


@pytest.mark.parametrize("name", sorted(NOT_SETTINGS))
def test_some_variables_are_no_settings(name, tmp_path):
    (tmp_path / "config.toml").write_text("")
    assert load(None, {"TIDEMARK_CONFIG": str(tmp_path / "config.toml"), name: str(tmp_path / "config.toml")}).app == Settings().app


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[app]\nprot = 1", "no key in [app] named 'prot'; did you mean 'port'?"),
        ("[ap]\nport = 1", "no section or key in config.toml named 'ap'; did you mean 'app'?"),
        ("exmaple = true", "no section or key in config.toml named 'exmaple'; did you mean 'example'?"),
        ("app = 1", "app is 1; it must be a section, [app]"),
        ("[app]\nport = 0", "[app] port is 0; it must be between 1 and 65535"),
        ("[app]\nport = 80.5", "[app] port is 80.5; it must be a whole number"),
        ("[work]\nlease = 0.5", "[work] lease is 0.5 s; it must be between 1.0 and 600.0"),
        ("[work]\nlease = nan", "[work] lease is nan s; it must be between 1.0 and 600.0"),
        ("[execution]\nintrabar = 'optimstic'", "[execution] no intrabar named 'optimstic'; did you mean 'optimistic'?"),
        ("example = 'maybe'", "example is 'maybe'; it must be a true or false"),
    ],
)
def test_a_slip_in_the_file_is_a_sentence(tmp_path, text, sentence):
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(BadRequest, match=re.escape(sentence)):
        load(tmp_path / "config.toml", {})


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("TIDEMARK_APP_PROT", "no environment variable named 'TIDEMARK_APP_PROT'; did you mean 'TIDEMARK_APP_PORT'?"),
        ("TIDEMARK_DATABASE_URI", "did you mean 'TIDEMARK_DATABASE_URL'?"), ("TIDEMARK_WORK_LEESE", "did you mean 'TIDEMARK_WORK_LEASE'?"), ("TIDEMARK_", "no environment variable named 'TIDEMARK_'"),
    ],
)  # fmt: skip
def test_an_unknown_variable_names_the_nearest_and_not_its_value(name, sentence):
    with pytest.raises(UnknownName, match=re.escape(sentence)) as refused:
        load(ROOT / "config.toml", {name: "canary"})
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda path: None, "cannot be read: No such file or directory"), (lambda path: path.mkdir(), "cannot be read: Is a directory"),
    (lambda path: path.write_text("[app"), "is not TOML: "), (lambda path: path.write_bytes(b"\xff\xfe"), "is not TOML: "),
])  # fmt: skip
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path, make, sentence):
    make(tmp_path / "config.toml")
    with pytest.raises(BadRequest, match=re.escape(sentence)):
        load(tmp_path / "config.toml", {})


def test_folders_are_relative_to_the_file(tmp_path):
    (tmp_path / "config.toml").write_text('[storage]\nhome = "workspace"\n[data]\ninstruments = "mine.toml"\n')
    settings = load(tmp_path / "config.toml", {})
    assert settings.home == tmp_path / "workspace" and settings.instruments_file == str(tmp_path / "mine.toml")
    assert settings.database_url == f"sqlite:///{tmp_path}/workspace/tidemark.db" and settings.frames_url == f"{tmp_path}/workspace/frames"
    assert load(tmp_path / "config.toml", {"TIDEMARK_STORAGE_HOME": "/elsewhere"}).home.as_posix() == "/elsewhere"


def test_someone_always_acts():
    assert load(ROOT / "config.toml", {"TIDEMARK_APP_USER": "ana"}).user == "ana" and load(ROOT / "config.toml", {}).user


@pytest.mark.parametrize(("section", "param"), KEYS, ids=NAMES)
def test_every_setting_says_what_it_means(section, param):
    assert param.help and (param.type not in (int, float) or param.unit or param.name in ("port", "seed", "value", "stop_out"))


def test_the_earlier_name_of_the_audit_section_is_read(tmp_path):
    (tmp_path / "config.toml").write_text('[ftc_audit]\njsonl = "events.jsonl"\nwitnesses = ["http://a", "http://b"]\n')
    settings = load(tmp_path / "config.toml", {"TIDEMARK_FTC_AUDIT_EVENTS": "50"})
    assert (settings.jsonl_file, settings.audit.witnesses, settings.audit.events) == (tmp_path / "events.jsonl", "http://a, http://b", 50)
    assert settings.origin["audit.jsonl"] == "config.toml" and settings.origin["audit.events"] == "environment, TIDEMARK_FTC_AUDIT_EVENTS"
    (tmp_path / "config.toml").write_text("[ftc_audit]\n[audit]\n")
    with pytest.raises(BadRequest, match=re.escape("config.toml has [ftc_audit] and [audit], which are two names of one section; keep [audit]")):
        load(tmp_path / "config.toml", {})


def test_checkpoints_go_into_the_workspace_unless_a_file_is_named(tmp_path):
    (tmp_path / "config.toml").write_text("")
    assert load(tmp_path / "config.toml", {}).checkpoints_file == tmp_path / "var" / "checkpoints.txt" and load(tmp_path / "config.toml", {}).jsonl_file is None
    assert load(tmp_path / "config.toml", {"TIDEMARK_AUDIT_CHECKPOINTS": "/mnt/c.txt"}).checkpoints_file.as_posix() == "/mnt/c.txt"
