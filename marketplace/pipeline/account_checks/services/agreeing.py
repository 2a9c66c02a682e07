"""Inviting, accepting, declining and ending an account check."""

import secrets

from sqlalchemy import delete, select

from billing.public_ids import new_public_id
from marketplace.catalogue.content import clean_text
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.sealing import seal
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.pipeline.account_checks import mails
from marketplace.pipeline.account_checks.models import (
    AccountCheck,
    AccountEntry,
    AccountList,
    CheckState,
    Level,
)


def invite(
    inviter: Organization,
    invitee: Organization | None,
    level: str,
    message: str,
    *,
    by_user_id: int | None,
) -> AccountCheck:
    """Invite another partner to compare customers. Raises InvalidError with messages by field, or
    ConflictError when the two have a check, or an invitation, already."""
    errors = {}
    if (
        invitee is None
        or invitee.kind is not OrganizationKind.PARTNER
        or invitee.suspended_at is not None
        or invitee.id == inviter.id
    ):
        errors["partner"] = "No other partner has this address or name."
    if level not in {each.value for each in Level}:
        errors["level"] = "Choose what both of you learn."
    words = clean_text(message)
    if len(words) > 500:
        errors["message"] = "Use at most 500 characters."
    if errors or invitee is None:
        raise InvalidError(errors)
    first, second = sorted((inviter.id, invitee.id))
    key = insert_if_new(
        AccountCheck,
        public_id=new_public_id("ack"),
        pair=f"{first}:{second}",
        inviter_id=inviter.id,
        invitee_id=invitee.id,
        state=CheckState.INVITED,
        level=Level(level),
        message=words,
        key_sealed="",
        invited_at=clock.now(),
        invited_by_id=by_user_id,
    )
    if key is None:
        raise ConflictError("There is a check, or an invitation, between you two already.")
    check = db.session.get_one(AccountCheck, key)
    _record(check, "invited", inviter.id, by_user_id)
    mails.tell_invited(check, inviter)
    return check


def accept(check_id: int, *, by_user_id: int | None) -> AccountCheck:
    """Accept the invitation: from now on both can hand in their lists. Raises ConflictError."""
    check = _held(check_id)
    if check.state is CheckState.ACCEPTED:
        return check
    if check.state is not CheckState.INVITED:
        raise ConflictError("This invitation is no longer open.")
    check.state, check.answered_at, check.answered_by_id = (
        CheckState.ACCEPTED, clock.now(), by_user_id,
    )  # fmt: skip
    check.key_sealed = seal(secrets.token_hex(32))
    _record(check, "accepted", check.invitee_id, by_user_id)
    mails.tell_answered(check)
    return check


def decline(check_id: int, *, by_user_id: int | None) -> AccountCheck:
    """Decline the invitation. Raises ConflictError."""
    check = _held(check_id)
    if check.state is CheckState.DECLINED:
        return check
    if check.state is not CheckState.INVITED:
        raise ConflictError("This invitation is no longer open.")
    check.state, check.answered_at, check.answered_by_id = (
        CheckState.DECLINED, clock.now(), by_user_id,
    )  # fmt: skip
    _record(check, "declined", check.invitee_id, by_user_id)
    mails.tell_answered(check)
    return check


def end(check_id: int, organization_id: int, *, by_user_id: int | None) -> AccountCheck:
    """End the check, or take the invitation back: the lists and the pair's key are deleted at
    once. Receipts stay."""
    check = _held(check_id)
    if check.state in (CheckState.ENDED, CheckState.DECLINED):
        return check
    check.state, check.ended_at, check.ended_by_id = (
        CheckState.ENDED, clock.now(), organization_id,
    )  # fmt: skip
    check.key_sealed = ""
    delete_lists(AccountList.check_id == check.id)
    _record(check, "ended", organization_id, by_user_id)
    mails.tell_ended(check, organization_id)
    return check


def delete_lists(which: object) -> int:
    """Delete lists with their hashes; how many."""
    ids = db.session.scalars(select(AccountList.id).where(which)).all()  # type: ignore[arg-type]  # a condition of the caller
    if ids:
        db.session.execute(delete(AccountEntry).where(AccountEntry.list_id.in_(ids)))
        db.session.execute(delete(AccountList).where(AccountList.id.in_(ids)))
    return len(ids)


def _held(check_id: int) -> AccountCheck:
    check = lock_row(AccountCheck, AccountCheck.id == check_id)
    if check is None:
        raise ConflictError("This check is no longer there.")
    return check


def _record(check: AccountCheck, what: str, organization_id: int, by_user_id: int | None) -> None:
    db.session.flush()
    record_fact(
        f"account_check.{what}",
        subject=("account_check", check.id),
        actor_user_id=by_user_id,
        organization_id=organization_id,
    )
