"""A partner's own wishes for its payouts, and the limits that finance sets. All of it flushes."""

from collections.abc import Mapping

from billing.models import PayoutSetting
from billing.payouts.eligibility import default_minimum
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new


def setting_of(partner_id: int) -> PayoutSetting | None:
    """The partner's row, where it has one."""
    return db.session.get(PayoutSetting, partner_id)


def minimum_of(partner_id: int, currency: str) -> int:
    """From which amount on the partner is paid, in minor units."""
    setting = setting_of(partner_id)
    wished = int((setting.minimums if setting else {}).get(currency, 0))
    return max(wished, default_minimum(currency))


def set_minimums(partner_id: int, minimums: Mapping[str, int], *, by_user_id: int) -> None:
    """Wait with paying until this much is due, by currency in minor units.

    Raises InvalidError for less than the least that is paid at all.
    """
    for currency, amount in minimums.items():
        if amount < default_minimum(currency):
            raise InvalidError({f"minimum_{currency}": "That is less than the least we pay."})
    setting = _locked(partner_id)
    setting.minimums = {**setting.minimums, **minimums}
    db.session.flush()
    record_fact(
        "payout_setting.minimums_changed",
        subject=("organization", partner_id),
        organization_id=partner_id,
        actor_user_id=by_user_id,
        data={"minimums": dict(minimums)},
    )


def freeze(partner_id: int, *, reason: str, by_user_id: int) -> None:
    """Pay nothing to this partner until it is unfrozen. Raises InvalidError without a reason."""
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise InvalidError({"reason": "Say why; the partner sees it."})
    setting = _locked(partner_id)
    setting.frozen_reason, setting.frozen_by_id = reason, by_user_id
    setting.frozen_at = clock.now()
    db.session.flush()
    record_fact(
        "payouts.frozen",
        subject=("organization", partner_id),
        organization_id=partner_id,
        actor_user_id=by_user_id,
        data={"reason": reason},
    )


def unfreeze(partner_id: int, *, by_user_id: int) -> None:
    """Pay this partner again, from the next run on. Raises ConflictError when it is not frozen."""
    setting = _locked(partner_id)
    if not setting.frozen_reason:
        raise ConflictError("Its payouts are not frozen.")
    setting.frozen_reason, setting.frozen_by_id, setting.frozen_at = "", None, None
    db.session.flush()
    record_fact(
        "payouts.unfrozen",
        subject=("organization", partner_id),
        organization_id=partner_id,
        actor_user_id=by_user_id,
    )


def set_cap(partner_id: int, currency: str, cap: int | None, *, by_user_id: int) -> None:
    """Hold a payout of more than `cap` minor units; None: no cap."""
    setting = _locked(partner_id)
    caps = {**setting.caps}
    caps.pop(currency, None)
    if cap is not None:
        caps[currency] = cap
    setting.caps = caps
    db.session.flush()
    record_fact(
        "payout_setting.cap_changed",
        subject=("organization", partner_id),
        organization_id=partner_id,
        actor_user_id=by_user_id,
        data={"currency": currency, "cap": cap},
    )


def _locked(partner_id: int) -> PayoutSetting:
    insert_if_new(PayoutSetting, organization_id=partner_id, minimums={}, caps={}, frozen_reason="")
    setting = lock_row(PayoutSetting, PayoutSetting.organization_id == partner_id)
    if setting is None:
        raise ConflictError("The limits of this partner are gone.")
    return setting
