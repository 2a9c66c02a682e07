"""Who may compare customers: people of the two partners, and nobody else."""

from typing import Any

from marketplace.core.database import db
from marketplace.core.permissions import Actor, rule
from marketplace.pipeline.account_checks.models import AccountCheck, AccountReceipt
from marketplace.pipeline.deals.policies import may_use_deals


@rule("account_checks.use")
def may_use_checks(actor: Actor, _resource: object) -> bool:
    """Whoever may use deals."""
    return may_use_deals(actor, None)


@rule("account_check.use")
def may_use(actor: Actor, check: Any) -> bool:
    """The same, of the two parties. To a third one the check does not exist."""
    return (
        may_use_checks(actor, None)
        and isinstance(check, AccountCheck)
        and actor.organization_id in (check.inviter_id, check.invitee_id)
    )


@rule("account_check.answer")
def may_answer(actor: Actor, check: Any) -> bool:
    """The invited party answers."""
    return may_use(actor, check) and check.invitee_id == actor.organization_id


@rule("account_receipt.view")
def may_view_receipt(actor: Actor, receipt: Any) -> bool:
    """Both parties see the receipts, also after the end."""
    return isinstance(receipt, AccountReceipt) and may_use(
        actor, db.session.get(AccountCheck, receipt.check_id)
    )
