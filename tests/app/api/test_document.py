"""The API's document is true: requests that Schemathesis draws from it, whole and broken, are answered with a status, a content type and a shape that it names.

``TIDEMARK_CASES`` sets how many are drawn of each kind for each operation (``make check-api``); without it operations of every twenty-fourth address get a whole one, for drawing is dear.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup, ServerError
from schemathesis.specs.openapi import checks

from app.guard import CONTROL
from tests.app.api.calling import Answer, Client
from tests.app.api.one_database import kind as kind
from tests.app.api.test_others import proposal, stored
from worker.desk import Desk, StartRequest
from worker.store import Store

CASES = int(os.environ.get("TIDEMARK_CASES", "1"))
HELD = [not_a_server_error, checks.status_code_conformance, checks.content_type_conformance, checks.response_headers_conformance, checks.response_schema_conformance, checks.negative_data_rejection]
EVERY, MODES = 24, list(GenerationMode) if CASES > 1 else [GenerationMode.POSITIVE]
ENDLESS = "/v1/stream"


@pytest.fixture
def real(desk: Desk, store: Store) -> dict[str, list[str]]:
    """Names of what there is, so that requests get further than their first check."""
    stored(store, "EURUSD", "H1", "1h", 400)
    desk.strategies.save(dict(name="Mine", long="close > channel_high(20)", exit_long="close < sma(20)"), "try")
    dataset = desk.data.catalogue()[0].id
    desk.paper.start(StartRequest("gold-1", "breakout", {}, ("H1",), (dataset,)))
    job, run = desk.jobs.latest()[0].id if desk.jobs.latest() else "none", proposal(store).partition("-")[0]
    return dict(
        job_id=[job], run_id=[run], name=[dataset, "gold-1", "Mine", "breakout", "ftmo-1-step", "1"], model=["none"], symbol=["EURUSD"], instrument=["EURUSD"], entity=[f"run:{run}"], session_id=["gold-1"], strategy_id=["Mine", "breakout"],
        verb=["pause", "order"], table=["trades", "verdicts"],
    )  # fmt: skip


def test_what_is_drawn_from_the_document_is_answered_as_it_says(desk: Desk, real: dict[str, list[str]]):
    client = Client(desk)
    document = client.get("/openapi.json").json
    if CASES == 1:
        document["paths"] = dict(list(document["paths"].items())[::EVERY])
    wrong = []
    for place, operation in enumerate(operations(document)):
        courses = [(mode, named) for mode in MODES for named in ({}, known(operation, real, place))]
        for mode, named in courses if CASES > 1 else courses[place % 2 :][:1]:
            wrong += drawn(operation, mode, named, lambda case: call(client, case))
    assert not wrong, "\n".join(wrong[:40])


def operations(document: Any) -> Iterator[Any]:
    for each in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = each.ok()
        if operation.path != ENDLESS:
            yield operation


def known(operation: Any, real: dict[str, list[str]], place: int) -> dict[str, str]:
    return {each.name: real[each.name][place % len(real[each.name])] for each in operation.path_parameters if each.name in real}


def drawn(operation: Any, mode: GenerationMode, named: dict[str, str], answered: Callable[[Case], Answer]) -> list[str]:
    """What is wrong with the answers to some cases."""
    wrong = dict[str, str]()

    @given(operation.as_strategy(mode, **(dict(path_parameters=named) if named else {})))
    @settings(max_examples=CASES, derandomize=CASES == 1, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def course(case: Case) -> None:
        assume(not CONTROL.search(unquote(case.formatted_path)))        # the server's guard answers those
        answer = answered(case)
        try:
            case.validate_response(response(answer, case), checks=HELD)
        except FailureGroup as error:
            for each in error.exceptions:
                if isinstance(each, ServerError) and operation.path == "/v1/health":
                    continue        # nothing runs beside this test, and that is what it says
                wrong.setdefault(type(each).__name__, f"{operation.label} {mode.value}: {' '.join(str(each).split())[:300]} {case.formatted_path} {str(case.query)[:200]} {str(case.body)[:300]} {answer.status} {answer.body[:300]!r}")

    try:
        course()
    except Unsatisfiable:       # nothing of it can be broken, or is left free
        pass
    except Exception as error:      # any fault of one address is a line of the report, and the others go on
        wrong["broken"] = f"{operation.label} {mode.value}: {type(error).__name__} {error}"[:600]
    return list(wrong.values())


def call(client: Client, case: Case) -> Answer:
    query = urlencode([(name, each) for name, value in (case.query or {}).items() for each in (value if isinstance(value, list) else [value])])
    headers = {name.lower(): value for name, value in (case.headers or {}).items()}
    body = case.body if isinstance(case.body, bytes) else None if type(case.body).__name__ == "NotSet" else case.body
    return client.call(case.method, "/api" + case.formatted_path + (f"?{query}" if query else ""), body, **headers)


def response(answer: Answer, case: Case) -> schemathesis.Response:
    request = requests.Request(case.method, "http://127.0.0.1/api").prepare()
    return schemathesis.Response(answer.status, {name: [value] for name, value in answer.headers.items()}, answer.body, request, 0.1, False)
