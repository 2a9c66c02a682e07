"""Handing in lists and comparing them blindly."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import aliased

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, RateLimitedError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.pipeline.account_checks.hashing import (
    FEWEST,
    band_of,
    is_signed,
    list_digest,
    mac_of,
    normal_entry,
    read_entries,
    sign,
)
from marketplace.pipeline.account_checks.models import (
    AccountCheck,
    AccountEntry,
    AccountList,
    AccountReceipt,
    CheckState,
    Level,
    ReceiptKind,
)
from marketplace.pipeline.account_checks.reading import holders_of, key_of

KEEP_FOR = timedelta(days=90)
# How often a party may hand in a list within a day: who changes a list and looks again, probes.
LISTS_A_DAY = 3
# Where only counts are told: whoever changes its list is not told the new number for this long.
QUIET = timedelta(days=7)
_CHUNK = 1_000


@dataclass(frozen=True)
class Overlap:
    """What a party may know, nothing until both lists are there. `shared` is exact, where names are
    compared; else only the `band` that it lies in is told, and not before `told_from`, if that is
    set."""

    own: AccountList | None
    other: AccountList | None
    shared: int | None = None
    band: tuple[int, int | None] | None = None
    told_from: datetime | None = None


@dataclass(frozen=True)
class Match:
    """An own entry that the other party has too, as it was typed, and since when each has it."""

    typed: str
    own_since: datetime
    other_since: datetime


def hand_in(
    check_id: int, organization_id: int, typed: str, *, by_user_id: int | None
) -> AccountReceipt:
    """Replace a party's list. Only keyed hashes are kept, for 90 days; a receipt tells when.

    A customer that the former list had keeps the moment since when it is held. Raises InvalidError
    (at `entries`), RateLimitedError, ConflictError.
    """
    check, key = _open(check_id)
    found, fault = read_entries(typed)
    if fault:
        raise InvalidError({"entries": fault})
    if len(found) < FEWEST:
        raise InvalidError({"entries": f"At least {FEWEST} customers; a shorter list would tell."})
    now = clock.now()
    _refuse_probing(check, organization_id, now)
    macs = {mac_of(key, entry) for entry in found}
    own = lock_row(
        AccountList,
        AccountList.check_id == check.id,
        AccountList.organization_id == organization_id,
    )
    held: dict[str, datetime] = {}
    if own is None:
        own = AccountList(
            check_id=check.id, organization_id=organization_id, entries=0, digest="",
            uploaded_at=now, expires_at=now + KEEP_FOR,
        )  # fmt: skip
        db.session.add(own)
    else:
        rows = db.session.execute(
            select(AccountEntry.mac, AccountEntry.held_since).where(AccountEntry.list_id == own.id)
        )
        held = {mac: since for mac, since in rows if mac in macs}
        db.session.execute(delete(AccountEntry).where(AccountEntry.list_id == own.id))
    own.entries, own.digest = len(macs), list_digest(macs)
    own.uploaded_at, own.expires_at = now, now + KEEP_FOR
    db.session.flush()
    values = [
        {"list_id": own.id, "mac": mac, "held_since": held.get(mac, now)} for mac in sorted(macs)
    ]
    for start in range(0, len(values), _CHUNK):
        db.session.execute(insert(AccountEntry), values[start : start + _CHUNK])
    record_fact(
        "account_list.handed_in",
        subject=("account_check", check.id),
        actor_user_id=by_user_id,
        organization_id=organization_id,
        data={"entries": own.entries, "digest": own.digest},
    )
    return _receipt(
        check,
        organization_id,
        ReceiptKind.LIST,
        {"entries": own.entries, "list_sha256": own.digest},
    )


def overlap_of(check: AccountCheck, organization_id: int) -> Overlap:
    """How many customers the two share, as far as it may be told."""
    lists = {
        row.organization_id: row
        for row in db.session.scalars(select(AccountList).where(AccountList.check_id == check.id))
    }
    own, other = lists.get(organization_id), lists.get(check.other_of(organization_id))
    if own is None or other is None:
        return Overlap(own, other)
    mine, theirs = aliased(AccountEntry), aliased(AccountEntry)
    shared = (
        db.session.scalar(
            select(func.count())
            .select_from(mine)
            .join(theirs, theirs.mac == mine.mac)
            .where(mine.list_id == own.id, theirs.list_id == other.id)
        )
        or 0
    )
    if check.level is Level.NAMES:
        return Overlap(own, other, shared)
    quiet_until = _quiet_until(check, organization_id)
    if quiet_until is not None:
        return Overlap(own, other, told_from=quiet_until)
    return Overlap(own, other, band=band_of(shared))


def _quiet_until(check: AccountCheck, organization_id: int) -> datetime | None:
    """Until when a party is told no number, because it changed its list while it could see one."""
    handed_in = (
        select(AccountReceipt)
        .where(AccountReceipt.check_id == check.id, AccountReceipt.kind == ReceiptKind.LIST)
        .order_by(AccountReceipt.id)
    )
    other_first = db.session.scalar(
        handed_in.where(AccountReceipt.organization_id == check.other_of(organization_id)).limit(1)
    )
    if other_first is None:
        return None
    own = handed_in.where(AccountReceipt.organization_id == organization_id)
    since = clock.now() - QUIET
    before = db.session.scalar(
        own.where(AccountReceipt.at <= since)
        .order_by(None)
        .order_by(AccountReceipt.id.desc())
        .limit(1)
    )
    digest = before.body["list_sha256"] if before is not None else None
    found = None
    for receipt in db.session.scalars(own.where(AccountReceipt.at > since)):
        is_change = digest not in (None, receipt.body["list_sha256"])
        if is_change and receipt.id > other_first.id:
            found = receipt.at + QUIET
        digest = receipt.body["list_sha256"]
    return found


def matches_of(check_id: int, organization_id: int, typed: str) -> list[Match]:
    """Which of the typed entries, as far as they are in the party's own list, the other has too.

    Nothing of what is typed is kept. What is not in one's own list is never answered. Raises
    InvalidError (at `entries`), ConflictError.
    """
    check, key = _open(check_id)
    if check.level is not Level.NAMES:
        raise ConflictError("You agreed on counts alone.")
    found, fault = read_entries(typed)
    if fault or not found:
        raise InvalidError({"entries": fault or "Type or paste your list once more."})
    by_mac = {mac_of(key, entry): shown for entry, shown in found.items()}
    since = _shared_since(check, organization_id)
    return sorted(
        (Match(shown, *since[mac]) for mac, shown in by_mac.items() if mac in since),
        key=lambda match: match.typed.lower(),
    )


def entry_receipt(
    check_id: int, organization_id: int, typed: str, *, by_user_id: int | None
) -> AccountReceipt:
    """A signed receipt of since when each of the two has had a customer that both have. Raises
    InvalidError (at `entry`), ConflictError."""
    check, key = _open(check_id)
    if check.level is not Level.NAMES:
        raise ConflictError("You agreed on counts alone.")
    entry = normal_entry(typed[:2_000])
    rows = dict(holders_of(check, mac_of(key, entry))) if entry else {}
    if len(rows) < 2:
        raise InvalidError({"entry": "Only for a customer that both lists have."})
    record_fact(
        "account_entry.receipted",
        subject=("account_check", check.id),
        actor_user_id=by_user_id,
        organization_id=organization_id,
    )
    return _receipt(
        check,
        organization_id,
        ReceiptKind.ENTRY,
        {
            "customer": entry,
            "held_since": {str(each): since.isoformat() for each, since in sorted(rows.items())},
        },
    )


def is_genuine(receipt: AccountReceipt) -> bool:
    """Whether this installation signed the receipt."""
    settings = current_app.extensions["portico_settings"]
    secrets = [each for each in (settings.secret_key, settings.secret_key_previous) if each]
    return is_signed(secrets, receipt.body, receipt.signature)


def _shared_since(
    check: AccountCheck, organization_id: int
) -> dict[str, tuple[datetime, datetime]]:
    """Since when each has what both have, by its hash."""
    mine, theirs = aliased(AccountEntry), aliased(AccountEntry)
    own, other = aliased(AccountList), aliased(AccountList)
    rows = db.session.execute(
        select(mine.mac, mine.held_since, theirs.held_since)
        .join(own, own.id == mine.list_id)
        .join(theirs, theirs.mac == mine.mac)
        .join(other, other.id == theirs.list_id)
        .where(
            own.check_id == check.id,
            own.organization_id == organization_id,
            other.check_id == check.id,
            other.organization_id == check.other_of(organization_id),
        )
    )
    return {mac: (own_since, other_since) for mac, own_since, other_since in rows}


def _open(check_id: int) -> tuple[AccountCheck, bytes]:
    """The check, held, and its key. Raises ConflictError unless both have accepted."""
    check = lock_row(AccountCheck, AccountCheck.id == check_id)
    key = key_of(check) if check is not None else None
    if check is None or check.state is not CheckState.ACCEPTED or key is None:
        raise ConflictError("This check is not open.")
    return check, key


def _refuse_probing(check: AccountCheck, organization_id: int, now: datetime) -> None:
    today = db.session.scalar(
        select(func.count())
        .select_from(AccountReceipt)
        .where(
            AccountReceipt.check_id == check.id,
            AccountReceipt.organization_id == organization_id,
            AccountReceipt.kind == ReceiptKind.LIST,
            AccountReceipt.at > now - timedelta(days=1),
        )
    )
    if (today or 0) >= LISTS_A_DAY:
        raise RateLimitedError(
            f"At most {LISTS_A_DAY} lists a day: changing a list again and again would tell.",
            retry_after=3_600,
        )


def _receipt(
    check: AccountCheck, organization_id: int, kind: ReceiptKind, told: dict[str, Any]
) -> AccountReceipt:
    now = clock.now()
    public_id = new_public_id("acr")
    body = {
        "receipt": public_id,
        "check": check.public_id,
        "kind": kind.value,
        "organization": organization_id,
        "at": now.isoformat(),
        **told,
    }
    receipt = AccountReceipt(
        public_id=public_id,
        check_id=check.id,
        organization_id=organization_id,
        kind=kind,
        body=body,
        signature=sign(current_app.extensions["portico_settings"].secret_key, body),
        at=now,
    )
    db.session.add(receipt)
    db.session.flush()
    return receipt


def receipts_of(check: AccountCheck, most: int = 50) -> Sequence[AccountReceipt]:
    """The check's receipts, the newest first."""
    return db.session.scalars(
        select(AccountReceipt)
        .where(AccountReceipt.check_id == check.id)
        .order_by(AccountReceipt.id.desc())
        .limit(most)
    ).all()
