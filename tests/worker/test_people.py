"""Users, passwords, one-time codes, sessions, tokens of users: on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from domain.errors import BadRequest, Forbidden, SignedOut
from worker.code_keys import CodeKeyLost, CodeKeys, needed_by
from worker.desk import Actor, Caller, Desk, Identity, NotSignedIn, passwords
from worker.desk.actor import RIGHTS, ROLES, least
from worker.desk.passwords import fits, hashed, step_of

WORD = "four words of a sentence"
RFC_6238 = {59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130"}
SQLITE = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
KEY = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"      # of the RFC, in base32


@pytest.fixture
def settings(settings):
    return replace(settings, people=replace(settings.people, sign_in="local"))


@pytest.fixture
def people(desk: Desk, quick_hash) -> Desk:
    desk.users.add("ana", "admin", WORD)
    desk.users.add("bob", "trader", WORD, "bob@example.com")
    return desk


def entered(desk: Desk, name: str, code: str = "", device: str = "", session: str = "") -> str:
    return desk.sign_in.by_password(name, WORD, code, Caller("10.0.0.1", "test", device, session)).secret


def kinds(desk: Desk) -> list[str]:
    return [event.kind for event in desk.trail.rows(size=100)][::-1]


# -- passwords and codes


def test_a_password_is_kept_as_argon2id_with_a_salt_of_its_own():
    kept = hashed(WORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$") and fits(kept, WORD)


def test_passwords_are_compared_as_texts(quick_hash):
    first, second = hashed(WORD), hashed(WORD)
    assert first != second and fits(first, WORD) and not fits(first, WORD + " ") and not fits("", WORD) and not fits("", "nobody's password") and not fits("broken", WORD)
    assert fits(hashed("ﬁve wörds of a sentence"), "five wo\u0308rds of a sentence")     # one text, written in two ways


@pytest.mark.parametrize("password", ["", "short", "a" * 20, "x" * 257, "antonia.lee"])
def test_a_password_that_is_easily_guessed_is_refused(password: str):
    with pytest.raises(BadRequest, match=r"letters|guessed"):
        hashed(password, "antonia.lee")


@pytest.mark.parametrize(("at", "code"), RFC_6238.items())
def test_codes_are_those_of_rfc_6238(at: int, code: str):
    assert pyotp.TOTP(KEY, digits=8).at(at) == code
    assert step_of(KEY, code[2:], datetime.fromtimestamp(at, UTC)) == at // 30


def test_a_code_of_a_neighbouring_step_counts_and_no_other():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    steps = [step_of(KEY, pyotp.TOTP(KEY).at(now + timedelta(seconds=30 * k)), now) for k in range(-3, 4)]
    step = int(now.timestamp()) // 30
    assert steps == [None, None, step - 1, step, step + 1, None, None]
    assert [step_of(KEY, code, now) for code in ("", "000", "١٢٣٤٥٦", "a" * 100)] == [None] * 4


# -- users and sessions


@SQLITE
def test_users_are_listed_and_their_changes_are_in_the_trail_without_a_secret(people: Desk, store):
    people.users.role("bob", "auditor")
    people.users.disable("bob")
    people.users.enable("BOB")
    assert [(each.id, each.role, each.state, each.signs_in) for each in people.users.all()] == [("ana", "admin", "active", "password"), ("bob", "auditor", "active", "password or OpenID")]
    assert kinds(people) == ["user_added", "user_added", "user_role_changed", "user_disabled", "user_enabled"]
    with store.read() as unit:
        assert not [event for event in unit.trail.all() if "argon2" in event.body or WORD in event.body]


@SQLITE
@pytest.mark.parametrize(("name", "role", "more", "why"), [
    ("", "viewer", {}, "small letters"), ("Ana Lee", "viewer", {}, "small letters"), ("../x", "viewer", {}, "small letters"), ("cy", "root", {}, "no role named 'root'"),
    ("cy", "viewer", dict(email="x"), "must be one as"), ("ana", "viewer", {}, "there is a user ana already"), ("cy", "viewer", dict(email="BOB@example.com"), "is bob's"), ("cy", "viewer", dict(password=""), "needs a password"),
])  # fmt: skip
def test_a_user_that_cannot_be_is_refused(people: Desk, name, role, more, why):
    with pytest.raises(BadRequest, match=why):
        people.users.add(name, role, **{"password": WORD, **more})


@SQLITE
def test_the_last_administrator_stays_one(people: Desk):
    for change in (lambda: people.users.disable("ana"), lambda: people.users.role("ana", "trader")):
        with pytest.raises(BadRequest, match="ana is the last administrator"):
            change()
    people.users.role("bob", "admin")
    assert people.users.role("ana", "viewer").role == "viewer"


def test_who_is_signed_in_acts_by_name_and_role_until_the_session_ends(people: Desk):
    secret = entered(people, "bob")
    bob = people.signed_in(secret)
    assert bob is not None and (bob.actor.name, bob.actor.role) == ("bob", "trader")
    people.users.revoke_all("bob")
    for ask in (lambda: bob.cost_profiles.delete("x"), lambda: bob.jobs.cancel("x"), lambda: bob.paper.halt("now")):
        with pytest.raises(SignedOut, match="You are signed out"):
            ask()
    assert people.signed_in(secret) is None and not people.paper.halts()


@SQLITE
def test_what_only_reads_is_refused_within_a_moment(people: Desk, monkeypatch):
    from worker.desk import signed_in

    bob = people.signed_in(entered(people, "bob"))
    assert bob is not None
    monkeypatch.setattr(signed_in, "MOMENT", 0.0)
    people.users.disable("bob")
    for ask in (bob.jobs.latest, bob.trail.head, bob.system.health, bob.users.roles, bob.account.me):
        with pytest.raises(SignedOut):
            ask()


@SQLITE
def test_a_role_that_is_lowered_holds_in_an_open_page(people: Desk):
    secret = entered(people, "bob")
    bob = people.signed_in(secret)
    people.users.role("bob", "viewer")
    assert bob is not None
    with pytest.raises(Forbidden, match="your role is viewer now, and was trader"):
        bob.paper.halt("now")
    again = people.signed_in(secret)
    assert again is not None
    with pytest.raises(Forbidden, match="needs the role trader or admin"):
        again.paper.halt("now")


def test_a_code_is_needed_where_it_was_set_up_and_is_good_once(people: Desk, monkeypatch):
    bob = people.signed_in(entered(people, "bob"))
    assert bob is not None
    with pytest.raises(BadRequest, match="the password is not right"):
        bob.account.offer_code("wrong")
    offered = bob.account.offer_code(WORD)
    assert offered.address.startswith("otpauth://totp/Tidemark:bob?secret=" + offered.key)
    with pytest.raises(BadRequest, match="not the code"):
        bob.account.confirm_code("000000")
    entered(people, "bob")      # not in force before it is confirmed
    moment = [people.jobs.now()]
    monkeypatch.setattr("worker.store.clock.DatabaseClock.now", lambda *_: moment[0])
    bob.account.confirm_code(pyotp.TOTP(offered.key).at(moment[0]))
    for code in ("", pyotp.TOTP(offered.key).at(moment[0])):        # that one was used to confirm
        with pytest.raises(NotSignedIn, match="Name, password or code"):
            entered(people, "bob", code)
    moment[0] += timedelta(seconds=60)
    code = pyotp.TOTP(offered.key).at(moment[0])
    assert entered(people, "bob", f"{code[:3]} {code[3:]}")
    with pytest.raises(NotSignedIn):
        entered(people, "bob", code)
    people.users.reset_code("bob")
    assert entered(people, "bob")


def keys_of_codes(store) -> dict[str, str]:
    with store.read() as unit:
        return {user.id: user.totp for user in unit.users.all()}


@SQLITE
def test_keys_of_codes_are_sealed_by_a_file_of_the_workspace(people: Desk, store, settings):
    with store.unit() as unit:      # as an earlier release stored it
        unit.users.change("bob", totp=KEY)
    assert [CodeKeys(settings.home).seal_stored(store) for _ in range(2)] == [1, 0]
    key = pyotp.parse_uri(people.users.new_code("ana")).secret
    sealed, path = keys_of_codes(store), settings.home / "codes.key"
    assert path.stat().st_mode & 0o777 == 0o600 and {len(each) for each in sealed.values()} == {64} and key not in sealed.values()
    assert entered(people, "bob", pyotp.TOTP(KEY).at(people.jobs.now())) and entered(people, "ana", pyotp.TOTP(key).at(people.jobs.now()))
    with store.unit() as unit:      # another's row opens nothing
        unit.users.change("bob", totp=sealed["ana"])
    with pytest.raises(NotSignedIn):
        entered(people, "bob", pyotp.TOTP(key).at(people.jobs.now()))


@SQLITE
def test_without_the_file_codes_are_refused_and_can_be_switched_off(people: Desk, store, settings):
    people.users.new_code("bob")
    (settings.home / "codes.key").unlink()
    with pytest.raises(NotSignedIn, match="Name, password or code"):
        entered(people, "bob", "123456")
    with pytest.raises(CodeKeyLost, match=r"codes of bob need it\. Put it back from a copy, or switch the codes off"):
        people.users.new_code("ana")
    with store.read() as unit:
        assert needed_by(unit, settings.home).startswith("codes.key, without which bob cannot sign in")
    people.users.reset_code("bob")
    assert entered(people, "bob") and people.users.new_code("ana")


@SQLITE
def test_failures_are_forgotten_after_a_while_and_locks_grow(people: Desk, monkeypatch):
    moment = [people.jobs.now()]
    monkeypatch.setattr("worker.store.clock.DatabaseClock.now", lambda *_: moment[0])

    def failed() -> int:
        with pytest.raises(NotSignedIn) as refusal:
            people.sign_in.by_password("ana", "wrong words of a sentence", "", Caller("10.0.0.1"))
        return refusal.value.seconds

    assert [failed() for _ in range(6)] == [0, 0, 0, 0, 0, 61]
    moment[0] += timedelta(seconds=61)
    assert [failed(), failed()] == [0, 121]
    moment[0] += timedelta(hours=3)
    assert [failed() for _ in range(5)] == [0] * 5 and failed() == 61
    moment[0] += timedelta(seconds=61)
    assert entered(people, "ana")


def test_an_account_of_a_provider_is_matched_by_a_verified_address_once_and_by_its_subject_from_then_on(people: Desk):
    caller = Caller("10.0.0.1")
    for identity in (Identity("https://id 7", ""), Identity("https://id 7", "eve@example.com")):
        with pytest.raises(NotSignedIn, match="may not use Tidemark"):
            people.sign_in.by_identity(identity, caller)
    assert people.sign_in.by_identity(Identity("https://id 7", "Bob@example.com"), caller).user == "bob"
    assert people.sign_in.by_identity(Identity("https://id 7", ""), caller).user == "bob"
    with pytest.raises(NotSignedIn):        # another account that has got the same address
        people.sign_in.by_identity(Identity("https://id 8", "bob@example.com"), caller)
    people.users.disable("bob")
    with pytest.raises(NotSignedIn):
        people.sign_in.by_identity(Identity("https://id 7", ""), caller)


@SQLITE
def test_a_new_password_ends_the_other_sessions(people: Desk):
    here, elsewhere = entered(people, "bob"), entered(people, "bob")
    bob = people.signed_in(here)
    assert bob is not None and len(bob.account.sessions()) == 2
    bob.account.change_password(WORD, "another sentence of words")
    assert people.signed_in(here) is not None and people.signed_in(elsewhere) is None
    with pytest.raises(NotSignedIn):
        entered(people, "bob")


@SQLITE
def test_the_password_at_an_open_page_is_not_guessed_for_ever(people: Desk):
    bob = people.signed_in(entered(people, "bob"))
    assert bob is not None
    for _ in range(5):
        with pytest.raises(BadRequest, match="not right"):
            bob.account.drop_code("wrong")
    with pytest.raises(BadRequest, match="Too many attempts"):
        bob.account.drop_code(WORD)


# -- tokens of users


@SQLITE
@pytest.mark.parametrize("role", ROLES)
def test_a_token_has_no_right_that_its_owner_has_not(people: Desk, role: str):
    people.users.role("bob", role)
    bob = people.signed_in(entered(people, "bob"))
    assert bob is not None
    for wanted in ROLES:
        if RIGHTS[wanted] <= RIGHTS[role]:
            assert bob.tokens.create("robot", wanted)[0].owner == "bob"
        else:
            with pytest.raises(Forbidden, match=f"bob has the role {role} and may give a token"):
                bob.tokens.create("robot", wanted)


def test_a_token_follows_its_owner(people: Desk):
    bob = people.signed_in(entered(people, "bob"))
    assert bob is not None
    token, secret = bob.tokens.create("robot", "trader")
    assert people.tokens.actor_of(secret) == Actor(f"robot ({token.id}) of bob", "trader", "bob")
    people.users.role("bob", "auditor")
    assert people.tokens.actor_of(secret).role == least("trader", "auditor") == "viewer"      # type: ignore[union-attr]
    people.users.disable("bob")
    assert people.tokens.actor_of(secret) is None


@SQLITE
def test_one_sees_and_revokes_ones_own_tokens_and_an_administrator_all(people: Desk):
    bob, ana = people.signed_in(entered(people, "bob")), people.signed_in(entered(people, "ana"))
    assert bob is not None and ana is not None
    mine, theirs = bob.tokens.create("mine", "viewer")[0], ana.tokens.create("theirs", "viewer")[0]
    assert [each.id for each in bob.tokens.all()] == [mine.id] and {each.id for each in ana.tokens.all()} == {mine.id, theirs.id}
    with pytest.raises(Forbidden, match="is ana's"):
        bob.tokens.revoke(theirs.id)
    assert bob.tokens.revoke(mine.id).state == ana.tokens.revoke(theirs.id).state == "revoked"


@SQLITE
def test_nobody_but_an_administrator_sees_or_changes_users(people: Desk):
    bob = people.signed_in(entered(people, "bob"))
    assert bob is not None
    for ask in (bob.users.all, bob.users.sessions, lambda: bob.users.add("eve", "admin", WORD), lambda: bob.users.role("bob", "admin"), lambda: bob.users.new_code("ana"), lambda: bob.users.revoke_all("ana")):
        with pytest.raises(Forbidden, match="needs the role admin"):
            ask()
    ana_session = people.users.sessions("ana")
    with pytest.raises(BadRequest, match="you have no session"):
        bob.account.end(ana_session[0].id if ana_session else "nothing")
    assert passwords.SHORTEST == 10


@SQLITE
def test_no_file_and_no_address_of_the_server_is_open_to_who_signed_in(people: Desk, tmp_path):
    """Also on 127.0.0.1: behind a proxy on this machine, they are anywhere."""
    (tmp_path / "secret.csv").write_text("ts,open,high,low,close\n")
    bob = people.signed_in(entered(people, "bob"))
    assert bob is not None and not bob.data.may_open_paths() and bob.outside_downloads.own_address_only()
    with pytest.raises(BadRequest, match="cannot be opened: this page is reached from other machines"):
        bob.data.stage_path(str(tmp_path / "secret.csv"))
