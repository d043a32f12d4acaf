"""The registry from the desk: candidates, the gates of production, retirement, changed files, models of files."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from domain.errors import BadRequest
from tests.worker.training_jobs import anew, bars, question, trained
from worker.store.blobs import WrongHash

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
GREEN: dict[str, Any] = dict(
    verdict=dict(state="green", sentence="It holds.", reasons=[], whole=True), trials=dict(family="breakout", count=3, dsr=0.97, reason=""), control=dict(state="green", sentence="Nothing was learnt of permuted labels."),
    parity=dict(onnx=True, passed=True, sentence="ONNX agrees."), baselines=[dict(name="prior", state="better")], scores={}, crossed={},
)  # fmt: skip
REQUEST = dict(learner="fakeout", target="fake", strategy="breakout", strategy_params={}, scheme="walk_forward", shuffle_labels=False)


def add(desk, store, name: str = "fake", report: dict[str, Any] | None = None, request: dict[str, Any] | None = None, run_id: str = "r1", content: bytes = b"tree", **manifest: Any) -> str:
    """A candidate, as a job registers it; its title."""
    from worker.store.registering import register

    with store.unit() as unit:
        return register(
            unit, name, run_id=run_id, question=REQUEST | (request or {}), question_hash="s", files={"pipeline.json": store.blobs.put(content)}, frames={},
            manifest=dict(counted=True, gate=dict(columns=["atr(14)"], pipeline=True)) | manifest, report=GREEN | (report or {}), synthetic=False, actor="ana",
        ).title  # fmt: skip


def kinds(desk, model) -> list[str]:
    return sorted(event.kind for event in desk.trail.history(f"model:{desk.models.get(model).id}"))


def test_a_candidate_is_promoted_and_the_one_before_retires(system, desk, store):
    first, second = add(desk, store), add(desk, store, content=b"tree 2")
    assert (first, second, desk.models.get("fake").title) == ("fake@1", "fake@2", "fake@2"), "a name alone is the newest candidate"
    assert desk.models.promote(first).stage.stage == "production" and desk.models.get("fake").title == "fake@1"
    with pytest.raises(BadRequest, match="fake@1 is in production already"):
        desk.models.promote(first)
    assert desk.models.promote(second, "newer bars").stage.reason == "newer bars" and desk.models.get("fake").title == "fake@2" and desk.models.get("fake").badge == ""
    assert [(stage.stage, stage.actor, stage.reason) for stage in desk.models.history(first)] == [("candidate", "ana", ""), ("production", "ana", ""), ("retired", "ana", "fake@2 was promoted")]
    assert [each.title for each in desk.models.of_strategy("breakout")] == ["fake@2"] and desk.models.of_strategy("simple_ma") == [], "a retired one is offered to no backtest"
    assert kinds(desk, first) == ["model_promoted", "model_registered", "model_retired"]
    assert desk.models.retire(second, "it drifted").stage.stage == "retired"
    with pytest.raises(BadRequest, match=r"every version of fake is retired; name one as fake@2"):
        desk.models.get("fake")
    assert [each.title for each in desk.models.all()] == ["fake@2", "fake@1"] and [each.title for each in desk.models.all("none")] == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (dict(report=dict(control=dict(state="red", sentence="AUC of permuted labels is 0.61."))), "AUC of permuted labels is 0.61"),
        (dict(report=dict(control=dict(state="open", sentence="There were too few rows."))), "There were too few rows"),
        (dict(report=dict(control={})), "The control was not made"),
        (dict(report=dict(parity=dict(onnx=True, passed=False, sentence="ONNX differs by 0.2."))), "ONNX differs by 0.2"),
        (dict(report=dict(parity={})), "were not compared"),
        (dict(gate=None), "Look-ahead was not checked"),
        (dict(request=dict(scheme="cpcv")), "It was judged by cpcv, and only a complete walk-forward"),
        (dict(report=dict(verdict=dict(whole=False))), "not every fold was fitted"),
        (dict(request=dict(shuffle_labels=True)), "Its labels were permuted"),
        (dict(counted=False), r"trained on files \(--bars\), so nobody counted its trials"),
        (dict(run_id=""), r"trained on files \(--bars\), so nobody counted its trials"),
    ],
)
def test_a_shut_gate_is_not_opened_by_a_reason(system, desk, store, changed, sentence):
    add(desk, store, **deepcopy(changed))
    with pytest.raises(BadRequest, match=rf"fake@1 cannot be promoted: .*{sentence}"):
        desk.models.promote("fake", "I want it")
    assert desk.models.get("fake").stage.stage == "candidate" and sum(not gate.passed for gate in desk.models.gates("fake")) == 1


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (dict(baselines=[dict(name="prior", state="better"), dict(name="linear", state="undecided")]), "It does not beat linear"), (dict(baselines=[]), "It was compared with no baseline"),
        (dict(trials=dict(count=40, dsr=0.6)), "Its deflated Sharpe ratio is 0.60 after 40 trials"), (dict(trials=dict(count=1, dsr=None, reason="The samples are no trades.")), "It has no deflated Sharpe ratio. The samples are no trades"),
    ],
)  # fmt: skip
def test_weak_evidence_needs_a_reason_which_a_badge_shows(system, desk, store, report, sentence):
    add(desk, store, report=report)
    with pytest.raises(BadRequest, match=f"the evidence for fake@1 is weak: {sentence}.*--reason"):
        desk.models.promote("fake", "  ")
    model = desk.models.promote("fake", "to see it live")
    assert model.badge == "Promoted on weak evidence: to see it live" == desk.models.all()[0].badge and model.stage.evidence["weak"] is True
    assert any(sentence in gate["sentence"] for gate in model.stage.evidence["gates"])


def test_one_byte_changed_and_nothing_more_is_done_with_the_model(system, desk, store):
    add(desk, store)
    assert desk.models.verify("fake").passed and json.loads(desk.models.export("fake")["registry.json"])["files"] == dict(desk.models.get("fake").files)
    name = desk.models.get("fake").files["pipeline.json"]
    with store.blobs._fs.open(f"{store.blobs._root}/{name[:2]}/{name}", "wb") as file:
        file.write(b"tred")
    for act in (desk.models.export, desk.models.promote):
        with pytest.raises(WrongHash, match=r"The file pipeline\.json of model fake@1 was altered since it was written"):
            act("fake")
    result = desk.models.verify("fake")
    assert not result.passed and result.files == {"pipeline.json": "was altered since it was written"} and kinds(desk, "fake").count("model_refused") == 3


def test_a_wrong_name_or_version_is_stated_with_what_there_is(system, desk, store):
    add(desk, store)
    for text, sentence in (("faek", "no model named 'faek'; did you mean 'fake'"), ("fake@2", "there is no version 2 of fake; it has 1"), ("fake@x", "there is no version x of fake"), ("fake@", r"there is no version \(none\)")):
        with pytest.raises(BadRequest, match=sentence):
            desk.models.get(text)
    with pytest.raises(BadRequest, match="there is no run nothing"):
        desk.models.register("nothing", "fake")


def test_a_run_becomes_a_model_and_so_do_files_which_are_never_promoted(system, desk, store):
    run = trained(desk, anew(desk, question(desk, bars(desk))))
    model = desk.models.register(run.id, "drift")
    assert (model.title, model.run, model.learner, model.synthetic, model.manifest["seed"], model.manifest["data"]) == ("drift@1", run.id, "linear", True, 0, run.spec["datasets"])
    passed = {gate.name: gate.passed for gate in desk.models.gates("drift")}
    assert all(passed[name] for name in ("counted", "walk-forward", "look-ahead", "parity")) and not passed["baselines"] and not passed["significance"]
    assert desk.models.verify("drift").passed and "differ by at most" in desk.models.verify("drift").parity
    files = desk.training.model(run.id)
    tables = {name: desk.training.table(run.id, name) for name in ("samples", "folds", "predictions")}
    report = desk.training.report(run.id) | dict(trials=dict(dsr=0.22, count=1, family="breakout"))
    other = desk.models.register_files("files", files, {name: value for name, value in report.items() if name != "parity"}, tables)
    assert other.run == "" and other.manifest["counted"] is False and desk.models.verify("files").passed
    assert next(gate.sentence for gate in desk.models.gates("files") if gate.name == "significance") == "Its deflated Sharpe ratio is 0.22 after 1 trial; 0.95 is required."
    with pytest.raises(BadRequest, match=r"It was trained on files \(--bars\)"):
        desk.models.promote("files", "all the same")
    desk.training.delete(run.id)
    assert desk.models.export("drift")["manifest.json"] == files["manifest.json"], "a model outlives its run"
