"""A person says what became of a call whose answer was lost; Stripe is asked whether it is so.

Money hangs on the answer: what "did not happen" is sent again, and what "happened" is booked. So
neither is believed: what was asked is compared with what Stripe has.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from billing.gateway import (
    StripeBusyError,
    StripeNotConfiguredError,
    StripeRejectedError,
    StripeUnknownError,
    gateway,
)
from billing.models.stripe import OperationState, StripeOperation
from billing.operations import settle_by_hand
from marketplace.core.database import db
from marketplace.core.errors import InvalidError

JsonDict = dict[str, Any]
# Clocks differ; what was made is looked for from so long before it was asked for.
LOOK_BACK = timedelta(hours=1)
_OPEN = (OperationState.SENT, OperationState.UNKNOWN)
# What is compared; other parts of a request look different in what it made.
_COMPARED = (
    "amount", "amount_off", "charge", "currency", "customer", "destination", "metadata", "mode",
    "payment_intent", "transfer_group",
)  # fmt: skip
# What marks an object as the one that was asked for, and no other that is alike.
_MARKS = ("metadata", "transfer_group")
NOT_ASKED = "Stripe cannot be asked just now whether it is so. Try again in a minute."


@dataclass(frozen=True)
class _Asked:
    """An operation, read before the transaction ends: none is open while Stripe is asked."""

    id: int
    resource: str
    verb: str
    account: str
    request: JsonDict
    since: datetime

    @property
    def makes_something(self) -> bool:
        return self.verb == "create"

    @property
    def object_id(self) -> str:
        """The object in the request's path: what is changed, or the parent of what is made."""
        return str(self.request.get("id", ""))


def settle(operation_id: int, *, happened: bool, stripe_id: str, user_id: int) -> bool:
    """Note what a person says became of an unanswered operation; False when its end is known.

    Ends the transaction that is open, since Stripe is asked. Raises InvalidError at `happened`
    when it did happen after all, or Stripe cannot be asked; at `stripe_id` when that is nothing
    at Stripe, not what was asked for, or what another operation made.
    """
    row = db.session.get(StripeOperation, operation_id, populate_existing=True)
    if row is None or row.state not in _OPEN:
        return False
    resource, _, verb = row.method.rpartition(".")
    asked = _Asked(
        row.id, resource, verb, row.account, dict(row.request), row.sent_at or row.created_at
    )
    db.session.rollback()
    try:
        if happened:
            _must_be_it(asked, stripe_id)
        else:
            _must_not_be_there(asked)
    except (StripeUnknownError, StripeBusyError, StripeNotConfiguredError) as error:
        raise InvalidError({"happened": NOT_ASKED}) from error
    return settle_by_hand(
        operation_id, happened=happened, stripe_id=stripe_id if happened else "", user_id=user_id
    )


def fits(request: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether what Stripe has is what was asked for, as far as both tell.

    Amounts are minor units, currencies of any case; marks in `metadata` may have others beside
    them.
    """
    for name in _COMPARED:
        if name not in request or name not in found:
            continue
        wanted, given = request[name], found[name]
        if isinstance(given, dict) and isinstance(wanted, str):
            given = given.get("id")
        if name == "metadata" and isinstance(wanted, dict):
            kept = given or {}
            if any(str(kept.get(key, "")) != str(value) for key, value in wanted.items()):
                return False
        elif isinstance(wanted, str | int) and str(given).lower() != str(wanted).lower():
            return False
    return True


def _must_be_it(asked: _Asked, stripe_id: str) -> None:
    if not asked.makes_something and stripe_id != asked.object_id:
        raise InvalidError({"stripe_id": f"It was about {asked.object_id}, not about this."})
    if not stripe_id:
        raise InvalidError({"stripe_id": "Copy its id from Stripe's dashboard."})
    parent = asked.object_id if asked.makes_something else ""
    try:
        found = gateway().retrieve(asked.resource, stripe_id, account=asked.account, parent=parent)
    except StripeRejectedError as error:
        raise InvalidError(
            {"stripe_id": f"Stripe has nothing of this id ({error.message[:120]})."}
        ) from error
    # What was changed may have been changed again since; what was made stays what it is.
    if asked.makes_something and not fits(asked.request, found):
        raise InvalidError(
            {
                "stripe_id": "This is something else: its amount, currency, destination or marks"
                " are not what was asked for."
            }
        )
    if asked.makes_something and stripe_id in _of_others(asked, [stripe_id]):
        raise InvalidError({"stripe_id": "Another call made this one."})
    db.session.rollback()


def _must_not_be_there(asked: _Asked) -> None:
    try:
        there = [each for each in _candidates(asked) if fits(asked.request, each)]
    except StripeRejectedError:
        # Stripe has no such list: the person's word is all there is.
        return
    taken = _of_others(asked, [str(each["id"]) for each in there])
    db.session.rollback()
    for each in there:
        if str(each["id"]) not in taken:
            raise InvalidError(
                {"happened": f"It did happen: Stripe has it as {each['id']}. Choose that."}
            )


def _candidates(asked: _Asked) -> Iterable[JsonDict]:
    """What of Stripe's may be what was asked for."""
    request, since = asked.request, int((asked.since - LOOK_BACK).timestamp())
    pages, account = gateway().pages, asked.account
    if not asked.makes_something:
        found = gateway().retrieve(asked.resource, asked.object_id, account=account)
        return [found] if _is_done(asked, found) else []
    if asked.object_id:
        return pages(asked.resource, account=account, parent=asked.object_id)
    if asked.resource == "transfers" and request.get("transfer_group"):
        return pages("transfers", account=account, transfer_group=request["transfer_group"])
    if asked.resource == "refunds":
        names = [name for name in ("payment_intent", "charge") if request.get(name)]
        return pages("refunds", account=account, **{name: request[name] for name in names[:1]})
    if asked.resource != "transfers" and not any(request.get(name) for name in _MARKS):
        # Another one that is alike says nothing, and none of these moves money.
        return []
    return pages(asked.resource, account=account, created={"gte": since})


def _is_done(asked: _Asked, found: JsonDict) -> bool:
    """Whether an object shows that it was changed; False where nothing can show it."""
    if asked.verb == "expire":
        return found.get("status") == "expired"
    if asked.verb == "cancel":
        return found.get("status") == "canceled"
    if asked.resource == "disputes":
        return bool((found.get("evidence_details") or {}).get("submission_count"))
    return bool(asked.request.get("metadata"))


def _of_others(asked: _Asked, ids: list[str]) -> set[str]:
    """Which of these ids other operations made."""
    if not ids:
        return set()
    return set(
        db.session.scalars(
            select(StripeOperation.stripe_id).where(
                StripeOperation.stripe_id.in_(ids), StripeOperation.id != asked.id
            )
        )
    )


def was_settled_by_hand(key_prefix: str) -> bool:
    """Whether a person said of an operation whose key begins so that it did not happen."""
    return bool(
        db.session.scalar(
            select(func.count())
            .select_from(StripeOperation)
            .where(
                StripeOperation.idem_key.startswith(key_prefix, autoescape=True),
                StripeOperation.error_code == "did_not_happen",
            )
        )
    )
