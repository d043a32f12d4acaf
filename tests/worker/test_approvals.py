"""Changes that need a second person: kept, done once by another one, in both names, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import BadRequest, Forbidden, SecondPerson
from worker.desk import Actor, Desk
from worker.desk.approvals import CHANGES
from worker.desk.roles import NEEDS

SQLITE = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
WORD = "four words of a sentence"


@pytest.fixture
def settings(settings):
    return replace(settings, people=replace(settings.people, sign_in="local", two_persons=True))


@pytest.fixture
def people(desk: Desk, quick_hash) -> dict[str, Desk]:
    for name, role in dict(ana="trader", bob="trader", cy="analyst", eve="viewer").items():
        desk.users.add(name, role, WORD)
    return {name: desk.acting(Actor(name, role)) for name, role in dict(ana="trader", bob="trader", cy="analyst", eve="viewer").items()}


def request_by(people: dict[str, Desk], name: str = "ana", reason: str = "looked at it") -> str:
    with pytest.raises(SecondPerson, match="waits as request") as kept:
        people[name].paper.release(reason)
    return kept.value.request


def events(desk: Desk) -> list[tuple[str, str]]:
    return [(event.actor, event.kind) for event in desk.trail.rows(size=100)][::-1][4:]


def test_a_halt_is_released_by_two_persons(people: dict[str, Desk]):
    people["ana"].paper.halt("odd fills")       # stopping needs nobody else
    request = request_by(people)
    assert people["bob"].paper.halts() and request_by(people) == request        # the same request once
    waiting, = people["bob"].approvals.pending()
    assert (waiting.summary, waiting.person) == ("Release the halt of all sessions: looked at it", "ana")
    done = people["bob"].approvals.approve(request, "so did I")
    assert (done.state, done.decided_by, done.note) == ("approved", "bob", "so did I") and not people["ana"].paper.halts()
    assert events(people["ana"]) == [("ana", "trading_halted"), ("ana", "approval_requested"), ("bob", "approval_approved"), ("ana", "trading_released")]
    with pytest.raises(BadRequest, match="is approved already"):
        people["bob"].approvals.approve(request)


def test_what_cannot_be_done_is_refused_when_it_is_requested(people: dict[str, Desk], sent):
    with pytest.raises(BadRequest, match="no kill switch is set"):
        people["ana"].paper.release("looked at it")
    with pytest.raises(Forbidden, match="needs the role"):
        people["eve"].paper.release("looked at it")
    assert not people["ana"].approvals.all() and not events(people["ana"]) and not sent


@SQLITE
def test_nobody_decides_on_a_request_of_their_own_nor_without_the_right(people: dict[str, Desk]):
    people["ana"].paper.halt("odd fills")
    request = request_by(people)
    token = people["ana"].acting(Actor("robot (ab2) of ana", "trader", "ana"))
    for desk, why in ((people["ana"], "somebody else"), (token, "somebody else"), (people["cy"], "needs the role trader or admin"), (people["eve"], "needs the role")):
        for decide in (desk.approvals.approve, desk.approvals.refuse):
            with pytest.raises(Forbidden, match=why):
                decide(request)
    with pytest.raises(Forbidden, match="ana's, who alone"):
        people["bob"].approvals.withdraw(request)
    assert people["ana"].paper.halts() and token.approvals.withdraw(request).state == "withdrawn"
    with pytest.raises(BadRequest, match="is withdrawn already"):
        people["bob"].approvals.approve(request)


@SQLITE
def test_a_request_of_a_program_is_its_owners(people: dict[str, Desk]):
    people["ana"].paper.halt("odd fills")
    with pytest.raises(SecondPerson) as kept:
        people["ana"].acting(Actor("robot (ab2) of ana", "trader", "ana")).paper.release("looked at it")
    with pytest.raises(Forbidden, match="somebody else"):
        people["ana"].approvals.approve(kept.value.request)
    people["bob"].approvals.approve(kept.value.request)
    assert events(people["ana"])[-1] == ("robot (ab2) of ana", "trading_released")


@SQLITE
def test_a_refused_or_expired_request_is_never_done(people: dict[str, Desk], monkeypatch):
    people["ana"].paper.halt("odd fills")
    refused, expiring = request_by(people), request_by(people, reason="again")
    assert people["bob"].approvals.refuse(refused, "not yet").state == "refused"
    now = people["ana"].jobs.now()
    monkeypatch.setattr("worker.store.clock.DatabaseClock.now", lambda *_: now + timedelta(hours=25))
    for request, state in ((refused, "refused"), (expiring, "expired")):
        assert people["bob"].approvals.get(request).state == state
        with pytest.raises(BadRequest, match=f"is {state} already"):
            people["bob"].approvals.approve(request)
    assert people["bob"].paper.halts() and not people["bob"].approvals.pending()


@SQLITE
def test_a_request_that_has_become_impossible_leaves_nothing_behind(people: dict[str, Desk], desk: Desk):
    people["ana"].paper.halt("odd fills")
    first, second = request_by(people), request_by(people, "bob", "me too")
    people["bob"].approvals.approve(first)
    with pytest.raises(BadRequest, match="no kill switch is set"):
        people["ana"].approvals.approve(second)
    assert people["ana"].approvals.get(second).state == "pending" and events(desk)[-1] == ("ana", "trading_released")


@SQLITE
def test_who_requested_must_still_have_the_right(people: dict[str, Desk], desk: Desk):
    people["ana"].paper.halt("odd fills")
    request = request_by(people)
    desk.users.add("zoe", "admin", WORD)
    desk.users.role("ana", "viewer")
    with pytest.raises(BadRequest, match="ana, who requested it, may not do that any more"):
        people["bob"].approvals.approve(request)
    desk.users.role("ana", "trader")
    desk.users.disable("ana")
    with pytest.raises(BadRequest, match="may not do that any more"):
        people["bob"].approvals.approve(request)
    assert people["bob"].paper.halts()


@SQLITE
def test_a_command_of_a_session_is_no_way_round(people: dict[str, Desk]):
    people["ana"].paper.halt("odd fills")
    with pytest.raises((SecondPerson, BadRequest)):
        people["ana"].paper.command("", "release", {}, "looked at it")
    assert people["ana"].paper.halts()


@SQLITE
def test_rule_sets_change_by_two_persons(people: dict[str, Desk]):
    preset = people["cy"].rule_sets.all()[0].name
    with pytest.raises(SecondPerson) as kept:
        people["cy"].rule_sets.save("ours", people["cy"].rule_sets.get(preset), "our own figures")
    assert "ours" not in [row.name for row in people["cy"].rule_sets.all()]
    people["ana"].approvals.approve(kept.value.request)
    saved = people["ana"].rule_sets.stored("ours")
    assert saved is not None and (saved.actor, saved.base) == ("cy", preset)
    with pytest.raises(SecondPerson) as kept:
        people["cy"].rule_sets.retire("ours", "not needed")
    people["ana"].approvals.approve(kept.value.request)
    assert "ours" not in [row.name for row in people["cy"].rule_sets.all()]


@SQLITE
def test_without_the_setting_or_without_sign_in_one_person_does_it(desk: Desk, settings):
    for people in (replace(settings.people, two_persons=False), replace(settings.people, sign_in="")):
        alone = Desk(desk.jobs._context.store, replace(settings, people=people), Actor("ana", "trader"), lambda *_: True)
        alone.paper.halt("odd fills")
        alone.paper.release("looked at it")
        assert not alone.paper.halts()


@SQLITE
def test_the_changes_that_need_it_are_methods_with_those_arguments(desk: Desk):
    import inspect

    for verb, change in CHANGES.items():
        part, _, method = verb.partition(".")
        real = getattr(type(getattr(desk, part)._part), method)
        assert list(inspect.signature(real).parameters)[1:] == list(change.names) and NEEDS[verb] == change.right
