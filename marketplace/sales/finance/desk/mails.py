"""The mails of the desk: what became of a request or a question."""

from billing.formatting import format_money
from billing.models import Objection, ObjectionState, Refund, RefundRequest
from marketplace.core.mail import send_mail
from marketplace.identity.models import User


def tell_granted(person: User | None, request: RefundRequest, refund: Refund) -> None:
    """The person who asked learns that money comes back."""
    if person is None or not person.email:
        return
    order = request.order
    amount = format_money(refund.amount, refund.currency)
    send_mail(
        person.email,
        f"Your refund of {amount}",
        f"You asked for a refund of order {order.invoice_number or order.public_id}.\n\n"
        f"We refund {amount} to the card that paid. It takes five to ten days to arrive.\n"
        + (f"\n{request.answer}\n" if request.answer else ""),
    )


def tell_refused(person: User | None, request: RefundRequest) -> None:
    """The person who asked learns why not."""
    if person is None or not person.email:
        return
    order = request.order
    send_mail(
        person.email,
        f"Your request for a refund of {order.invoice_number or order.public_id}",
        "You asked for a refund, which we cannot give.\n\n"
        f"{request.answer}\n\n"
        "If you have questions, answer this mail.\n",
    )


def tell_answered(person: User | None, objection: Objection) -> None:
    """The partner's person who asked learns the answer."""
    if person is None or not person.email:
        return
    verdict = (
        "You were right."
        if objection.state is ObjectionState.UPHELD
        else "The line stays as it is."
    )
    moved = ""
    if objection.adjustment:
        currency = objection.earning.currency
        amount = format_money(abs(objection.adjustment), currency)
        moved = (
            f" We added {amount} to what is payable to you."
            if objection.adjustment > 0
            else f" We took {amount} off what is payable to you."
        )
    send_mail(
        person.email,
        "Your question about a line of your earnings",
        f"You asked about the line {objection.earning.public_id}.\n\n"
        f"{verdict}{moved}\n\n{objection.answer}\n",
    )
