"""The account that a path is judged on: the rule set's, unless the path is plainly another one's."""

from __future__ import annotations

from domain.compliance.path import Path
from domain.compliance.rule_set import RuleSet
from domain.errors import BadRequest

NEAR = 0.15  # of the account: a first balance further away is another account's


def initial_of(first: float, rule_set: RuleSet) -> tuple[float, list[str]]:
    """The initial balance of a path that does not say it, from its first balance, and a note where that needs one.

    Raises BadRequest where the rules are money on an account of another size.
    """
    account = rule_set.account
    if account and abs(first - account) <= NEAR * account:
        return account, []
    if account and not rule_set.relative:
        raise BadRequest(
            f"the equity begins at {first:,.2f}, and {rule_set.title} is for an account of "
            f"{account:,.2f}; give the balance at its start with --initial"
        )
    return first, [f"The initial balance is the first of the equity, {first:,.2f}."]


def fitted(path: Path, rule_set: RuleSet) -> tuple[Path, list[str]]:
    """A path whose initial balance is known, scaled where the rules are money on an account of another size."""
    account = rule_set.account
    if not account or rule_set.relative or abs(path.initial - account) < 1e-9 * account:
        return path, []
    return path.scaled(account), [
        f"The account of {path.initial:,.2f} is scaled to the {account:,.2f} of the rules, money and "
        f"lots by {account / path.initial:.4g}."
    ]
