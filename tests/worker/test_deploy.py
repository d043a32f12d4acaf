"""What compose.yaml and the files beside it promise: valid, nobody is root, nothing has a default password."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import jsonschema
import pytest
import yaml

from domain.errors import BadRequest
from worker import supervise
from worker.alive import alive
from worker.main import queues_of
from worker.owner import OWNER
from worker.settings import ROOT, load
from worker.store import Process

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
ONCE = "bucket-volume"      # hands a new volume over, and ends
OURS = [name for name, service in SERVICES.items() if service.get("image") == "tidemark"]


def test_the_file_is_valid_by_the_schema_of_the_compose_specification():
    schema = json.loads((ROOT / "tests" / "data" / "compose-spec.json").read_text())
    errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in jsonschema.Draft7Validator(schema).iter_errors(COMPOSE)]
    assert errors == []
    assert list(jsonschema.Draft7Validator(schema).iter_errors(COMPOSE | {"services": {"page": {"imagee": "x"}}})), "the schema does refuse"


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_is_root_and_nothing_writes_to_its_root_file_system(name):
    service = SERVICES[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    if name == ONCE:
        assert service["network_mode"] == "none" and service["cap_add"] == ["CHOWN"]
    else:
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]) and "cap_add" not in service and service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_as_files_and_ports_are_for_this_machine(name):
    service = SERVICES[name]
    for variable, value in service.get("environment", {}).items():
        assert variable.endswith("_FILE") or not re.search("PASSWORD|SECRET|TOKEN|KEY|_URL$", variable) or variable == "AWS_ENDPOINT_URL_S3" or str(value).startswith("s3://"), variable
        assert "@" not in str(value)
    assert {secret["source"] for secret in service.get("secrets", [])} <= set(COMPOSE["secrets"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert name in OURS or (re.search(r":[\w.]+$", service["image"]) and not service["image"].endswith(":latest"))
    named = [volume.partition(":")[0] for volume in service.get("volumes", []) if ":" in volume]
    assert set(named) <= set(COMPOSE["volumes"]) and set(service.get("depends_on", {})) <= set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_our_services_are_parts_that_there_are_with_settings_that_there_are(name, tmp_path):
    service = SERVICES[name]
    assert service["command"][:2] == ["up", "--only"] and service["command"][2] in ("page", *supervise.PARTS)
    variables = {variable: str(value) for variable, value in service["environment"].items() if variable.startswith("TIDEMARK_")}
    for variable in [variable for variable in variables if variable.endswith("_FILE")]:
        (tmp_path / variable).write_text("redis://queue:6379/0" if "REDIS" in variable else "postgresql://tidemark:x@database/tidemark")
        variables[variable] = str(tmp_path / variable)
    variables = {variable: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for variable, value in variables.items()}
    settings = load(environment=variables)
    assert settings.redis_url and settings.frames_url.startswith("s3://") and settings.logs.format == "json" and queues_of(settings)
    if name == "page":
        assert settings.people.required, "beyond this machine people sign in"


def test_every_queue_has_workers():
    taken = {queue for name in OURS for queue in str(SERVICES[name]["environment"].get("TIDEMARK_WORK_QUEUES", "")).split(",") if SERVICES[name]["command"][2] == "worker"}
    assert taken == set(queues_of(load(environment={})))


def test_the_image_is_not_root_and_lists_what_it_writes_to():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER tidemark"] and any("--uid 10001" in line for line in lines)
    mounted = {volume.rpartition(":")[2] for name in OURS for volume in SERVICES[name]["volumes"]}
    assert f"VOLUME {json.dumps(sorted(mounted, reverse=True))}" in lines
    assert "secrets" in (ROOT / ".dockerignore").read_text().split()


def test_prometheus_scrapes_the_page_with_a_token_from_a_file():
    (job,) = yaml.safe_load((ROOT / "examples" / "deploy" / "prometheus.yml").read_text())["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["page:8501"]}] and job["authorization"] == {"credentials_file": "/run/secrets/metrics_token"}
    assert "page" in SERVICES["page"]["environment"]["TIDEMARK_APP_HOSTS"]


def test_the_proxy_sends_what_tls_adds_and_passes_streams_on():
    text = (ROOT / "examples" / "deploy" / "Caddyfile").read_text()
    assert text.count("{") == text.count("}") and "Strict-Transport-Security" in text and "reverse_proxy 127.0.0.1:8501" in text and "flush_interval -1" in text


@pytest.mark.skipif(sys.platform == "win32", reason="a script of the shell")
def test_the_secrets_are_new_random_and_fit_together(tmp_path):
    def secrets_in(folder: Path) -> dict[str, str]:
        folder.mkdir()
        subprocess.run(["sh", str(ROOT / "examples" / "deploy" / "secrets.sh")], cwd=folder, check=True, capture_output=True)
        return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}

    one, two = secrets_in(tmp_path / "one"), secrets_in(tmp_path / "two")
    assert set(one) == set(COMPOSE["secrets"]) and all(one[name] != two[name] for name in one if name != "metrics_token")
    assert stat.S_IMODE((tmp_path / "one" / "secrets").stat().st_mode) == 0o700
    assert f":{one['database_password']}@database/" in one["database_url"] and len(one["database_password"]) == 64
    assert one["queue_conf"].split()[1] in one["queue_url"]
    credentials, account = ConfigParser(), json.loads(one["bucket_accounts"])["identities"][0]["credentials"][0]
    credentials.read_string(one["bucket_credentials"])
    assert (credentials["default"]["aws_access_key_id"], credentials["default"]["aws_secret_access_key"]) == (account["accessKey"], account["secretKey"])
    again = subprocess.run(["sh", str(ROOT / "examples" / "deploy" / "secrets.sh")], cwd=tmp_path / "one", capture_output=True, text=True)
    assert again.returncode == 1 and "holds secrets already" in again.stderr


# -- one part alone


@pytest.fixture
def become(monkeypatch, settings):
    """What a part would become, and the environment that it has; the queue answers."""
    became: list = []
    monkeypatch.setenv("TIDEMARK_STORAGE_HOME", str(settings.home))
    monkeypatch.setenv("TIDEMARK_DATABASE_URL", settings.database_url)
    monkeypatch.setattr(supervise.redis_server, "answers", lambda *_, **__: True)
    monkeypatch.setattr(supervise.os, "execve", lambda *given: became.append(given))
    monkeypatch.setattr(supervise, "keep_private", lambda: None)
    return became


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_part_alone_becomes_that_process(become, monkeypatch, tmp_path):
    (tmp_path / "queue").write_text("redis://queue:6379/0\n")
    monkeypatch.setenv("TIDEMARK_REDIS_URL_FILE", str(tmp_path / "queue"))
    for part, module in supervise.PARTS.items():
        supervise.only(part)
        program, command, environment = become.pop()
        assert command == [program, "-m", module] and environment["TIDEMARK_REDIS_URL"] == "redis://queue:6379/0"
        assert load(environment=environment).redis_url == "redis://queue:6379/0", "it can read the settings that it is given"
    supervise.only("page")
    assert "streamlit" in become.pop()[1]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_part_alone_needs_a_queue_that_others_see(become, monkeypatch):
    with pytest.raises(BadRequest, match="a part alone needs a queue server that the others see, too"):
        supervise.only("worker")
    with pytest.raises(BadRequest, match="no part named 'workers'; did you mean 'worker'"):
        supervise.only("workers")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_container_is_well_while_its_process_gives_signs_of_life(store):
    with store.unit() as unit:
        unit.alive(Process(OWNER, "worker", "here", 1, unit.now(), unit.now(), ""))
    assert alive(store, "worker", "here") and not alive(store, "worker", "there") and not alive(store, "scheduler", "here")


def test_a_queue_that_there_is_not_is_refused():
    settings = load(environment={"TIDEMARK_WORK_QUEUES": "reserch"})
    with pytest.raises(BadRequest, match="did you mean 'research'"):
        queues_of(settings)
    assert queues_of(load(environment={"TIDEMARK_WORK_QUEUES": "research"})) == {"research"}
