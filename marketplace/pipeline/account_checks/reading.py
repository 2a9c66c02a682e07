"""What other parts ask about account checks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.sealing import SealBrokenError, unseal
from marketplace.pipeline.account_checks.hashing import mac_of, normal_entry
from marketplace.pipeline.account_checks.models import (
    AccountCheck,
    AccountEntry,
    AccountList,
    CheckState,
)


@dataclass(frozen=True)
class Held:
    """That a partner's list of a check has a customer, and since when."""

    check_id: str
    organization_id: int
    since: datetime


def evidence_between(domain: str, organization_ids: Collection[int]) -> list[Held]:
    """What checks between these partners say of a customer: who has had it in its lists since
    when, the first one first. For staff who decide a conflict; no list is shown."""
    checks = db.session.scalars(
        select(AccountCheck)
        .where(
            AccountCheck.state == CheckState.ACCEPTED,
            AccountCheck.inviter_id.in_(organization_ids),
            AccountCheck.invitee_id.in_(organization_ids),
        )
        .limit(50)
    ).all()
    entry = normal_entry(domain)
    found: list[Held] = []
    for check in checks if entry else ():
        key = key_of(check)
        if key is None:
            continue
        rows = holders_of(check, mac_of(key, entry))
        found += [Held(check.public_id, each, since) for each, since in rows]
    return sorted(found, key=lambda row: row.since)


def holders_of(check: AccountCheck, mac: str) -> Sequence[tuple[int, datetime]]:
    """Which of the two has that customer, and since when."""
    rows = db.session.execute(
        select(AccountList.organization_id, AccountEntry.held_since)
        .join(AccountEntry, AccountEntry.list_id == AccountList.id)
        .where(AccountList.check_id == check.id, AccountEntry.mac == mac)
    )
    return [(each, since) for each, since in rows]


def key_of(check: AccountCheck) -> bytes | None:
    """The pair's key; None once the check has ended, or the installation's secret is gone."""
    if not check.key_sealed:
        return None
    try:
        return bytes.fromhex(unseal(check.key_sealed))
    except (SealBrokenError, ValueError):
        return None
