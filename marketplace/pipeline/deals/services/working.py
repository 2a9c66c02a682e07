"""Moving a deal on, winning and losing it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.pipeline.deals.models import Deal, DealStage, DealState
from marketplace.pipeline.deals.queries import split_of
from marketplace.pipeline.deals.services.registering import (
    held_deal,
    is_protected,
    one_line,
    own_order,
    record_deal_fact,
    release,
)
from marketplace.pipeline.deals.terms import MOST_WORTH


@dataclass(frozen=True)
class Move:
    """Where a deal goes. `amount` (minor units), `won_on` (a day in `timezone`) and `order` (a
    number) are for a won one."""

    stage: str
    reason: str = ""
    amount: int | None = None
    won_on: date | None = None
    order: str = ""
    timezone: str = "UTC"


def move(deal_id: int, wanted: Move, *, by_user_id: int | None) -> bool:
    """Move a deal to a stage; False when it is there already.

    Only an approved deal is won, and only while its customer is protected. Losing needs a reason
    and lets go of the customer. A won deal counts once its credit is split by finance; after that
    it cannot be moved. Raises InvalidError, ConflictError.
    """
    if wanted.stage not in {each.value for each in DealStage}:
        raise InvalidError({"stage": "Choose one of the stages."})
    stage = DealStage(wanted.stage)
    deal = held_deal(deal_id)
    if deal.state not in (DealState.SUBMITTED, DealState.APPROVED):
        raise ConflictError("This deal is closed, or in conflict with another one.")
    if deal.stage is stage:
        return False
    if split_of(deal.id) is not None:
        raise ConflictError("Its credit is split already. Ask finance to change it.")
    if stage is DealStage.WON:
        _win(deal, wanted)
    elif stage is DealStage.LOST:
        deal.lost_reason = one_line(wanted.reason, "Say why it was lost.")
        deal.won_at = None
        release(deal)
    else:
        if deal.stage is DealStage.LOST:
            raise ConflictError("It was lost. Register the customer anew.")
        # Without its claim it would be open beside whoever has the customer now, for ever.
        if deal.stage is DealStage.WON and not is_protected(deal):
            raise ConflictError("Its protection has ended. Mark it as lost if it is not won.")
        deal.won_at = None
    deal.stage = stage
    what = stage.value if stage in (DealStage.WON, DealStage.LOST) else "staged"
    record_deal_fact(deal, what, by_user_id)
    return True


def _win(deal: Deal, wanted: Move) -> None:
    if deal.state is not DealState.APPROVED:
        raise ConflictError("Staff must approve the registration before it can be won.")
    if deal.stage is DealStage.LOST:
        raise ConflictError("It was lost. Register the customer anew.")
    if not is_protected(deal):
        raise ConflictError("The protection has ended. Register the customer anew.")
    if wanted.amount is not None:
        if not 0 < wanted.amount <= MOST_WORTH:
            raise InvalidError({"amount": "Enter what it was sold for."})
        deal.amount = wanted.amount
    now, zone = clock.now(), clock.zone_of(wanted.timezone)
    today = clock.today_in(wanted.timezone)
    day = wanted.won_on or today
    if not deal.submitted_at.astimezone(zone).date() <= day <= today:
        raise InvalidError({"won_on": "From the day of its registration until today."})
    if wanted.order.strip():
        deal.order_id = own_order(deal, wanted.order).id
    noon = datetime.combine(day, time(12), tzinfo=zone).astimezone(UTC)
    deal.won_at = now if day == today else noon
    db.session.flush()
