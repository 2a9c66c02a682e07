"""What is known of the partners of a run: their accounts, wishes and limits, in bulk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from billing.models import (
    AccountState,
    Affiliate,
    AffiliateProgram,
    AffiliateState,
    ConnectedAccount,
    Earning,
    EarningKind,
    LedgerAccount,
    LedgerEntry,
    PayoutSetting,
)
from billing.payouts.eligibility import Candidate, default_minimum
from billing.payouts.payable import payable_entries
from marketplace.core.database import db

BATCH = 1_000
Key = tuple[int, str]


@dataclass(frozen=True)
class AccountNow:
    """A partner's present account, as far as it decides."""

    stripe_id: str
    state: AccountState
    restriction: str
    currencies: tuple[str, ...]


@dataclass(frozen=True)
class Limits:
    """A partner's wishes, and what finance set; amounts in minor units by currency."""

    minimums: Mapping[str, Any]
    caps: Mapping[str, Any]
    frozen_reason: str


_NO_LIMITS = Limits({}, {}, "")


@dataclass(frozen=True)
class Known:
    """What decides about some partners."""

    accounts: Mapping[int, AccountNow]
    limits: Mapping[int, Limits]
    # By partner and currency: what its affiliate programs ask for at least.
    program_minimums: Mapping[Key, int]

    def candidate(self, partner_id: int, currency: str, amount: int) -> Candidate:
        """The partner as the rules see it."""
        account = self.accounts.get(partner_id)
        limits = self.limits.get(partner_id, _NO_LIMITS)
        cap = limits.caps.get(currency)
        return Candidate(
            currency=currency,
            amount=amount,
            account=account.state if account else None,
            restriction=account.restriction if account else "",
            currencies=account.currencies if account else (),
            minimum=max(
                int(limits.minimums.get(currency, 0)),
                default_minimum(currency),
                self.program_minimums.get((partner_id, currency), 0),
            ),
            cap=None if cap is None else int(cap),
            frozen_reason=limits.frozen_reason,
        )


def known_of(partner_ids: Sequence[int]) -> Known:
    """What decides about these partners (at most BATCH), with four statements at most."""
    accounts = db.session.execute(
        select(
            ConnectedAccount.organization_id,
            ConnectedAccount.stripe_id,
            ConnectedAccount.state,
            ConnectedAccount.restriction,
            ConnectedAccount.currencies,
        ).where(
            ConnectedAccount.organization_id.in_(partner_ids),
            ConnectedAccount.disconnected_at.is_(None),
        )
    )
    limits = db.session.execute(
        select(
            PayoutSetting.organization_id,
            PayoutSetting.minimums,
            PayoutSetting.caps,
            PayoutSetting.frozen_reason,
        ).where(PayoutSetting.organization_id.in_(partner_ids))
    )
    return Known(
        accounts={
            partner_id: AccountNow(stripe_id, state, restriction, tuple(currencies))
            for partner_id, stripe_id, state, restriction, currencies in accounts
        },
        limits={partner_id: Limits(*values) for partner_id, *values in limits},
        program_minimums=_program_minimums(partner_ids),
    )


def _program_minimums(partner_ids: Sequence[int]) -> dict[Key, int]:
    """The greatest minimum of the programs that each partner is in, where all that is payable to
    it are commissions: sales of its own are not made to wait for a program."""
    rows = db.session.execute(
        select(
            Affiliate.organization_id,
            AffiliateProgram.minimum_currency,
            AffiliateProgram.minimum_payout,
        )
        .join(AffiliateProgram, AffiliateProgram.id == Affiliate.program_id)
        .where(
            Affiliate.organization_id.in_(partner_ids),
            Affiliate.state == AffiliateState.ACTIVE,
            AffiliateProgram.minimum_payout > 0,
        )
    )
    found: dict[Key, int] = {}
    for partner_id, currency, minimum in rows:
        if currency is not None:
            key = (partner_id, currency)
            found[key] = max(minimum, found.get(key, 0))
    if not found:
        return found
    return {key: value for key, value in found.items() if key not in _sellers(found)}


def _sellers(keys: Iterable[Key]) -> set[Key]:
    partners = sorted({partner_id for partner_id, _ in keys})
    rows = db.session.execute(
        payable_entries(LedgerAccount.owner, LedgerAccount.currency)
        .join(Earning, Earning.id == LedgerEntry.earning_id)
        .where(
            LedgerAccount.owner.in_(partners),
            Earning.kind != EarningKind.AFFILIATE_COMMISSION,
        )
        .distinct()
    )
    return set(rows)
