"""One line and the receipt behind it; the question about it."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from billing.models import Earning, EarningKind, Objection
from billing.objections import objections_of, open_objection, withdraw_objection
from billing.settlement.conversions import conversion_of, rate_text
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.permissions import current_actor, needs
from marketplace.sales.earnings import queries
from marketplace.sales.earnings.forms import QuestionForm
from marketplace.sales.earnings.receipts import receipt_for
from marketplace.sales.earnings.texts import CAME_BY, KINDS, PAYOUT_STATES, earning_label, txn_label
from marketplace.sales.earnings.views.blueprint import blueprint, own_earning, own_objection


@blueprint.get("/earnings/lines/<earning_id>")
@needs("earning.read", load=own_earning, name="earning")
def line(earning: Earning) -> ResponseReturnValue:
    """Why the line is what it is."""
    return _page(earning, QuestionForm(formdata=None))


@blueprint.post("/earnings/lines/<earning_id>/questions")
@needs("earning.read", load=own_earning, name="earning")
def ask(earning: Earning) -> ResponseReturnValue:
    """Ask finance about the line."""
    form = QuestionForm()
    if not form.validate():
        return _page(earning, form), 422
    try:
        open_objection(earning, body=form.body.data or "", by_user_id=current_actor().user_id or 0)
    except InvalidError as error:
        form.body.errors = [*form.body.errors, *error.fields.values()]
        return _page(earning, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("earnings.line", earning_id=earning.public_id), 303)
    flash("Your question is sent. You get a mail when it is answered.", "success")
    return redirect(
        url_for("earnings.line", earning_id=earning.public_id, _anchor="questions"), 303
    )


@blueprint.get("/earnings/questions/<int:objection_id>/withdrawal")
@needs("objection.withdraw", load=own_objection, name="objection")
def confirm_withdrawal(objection: Objection) -> ResponseReturnValue:
    """The question before a question is taken back."""
    return render_template("earnings/withdrawal.html", objection=objection)


@blueprint.post("/earnings/questions/<int:objection_id>/withdrawal")
@needs("objection.withdraw", load=own_objection, name="objection")
def withdraw(objection: Objection) -> ResponseReturnValue:
    """Take the question back."""
    earning_id = objection.earning.public_id
    try:
        withdraw_objection(objection.id, by_user_id=current_actor().user_id or 0)
        flash("Your question is withdrawn.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("earnings.line", earning_id=earning_id, _anchor="questions"), 303)


def _page(earning: Earning, form: QuestionForm) -> str:
    sold = earning.line
    questions = objections_of(earning.id)
    payout = queries.payouts_by_earning([earning.id]).get(earning.id)
    # An affiliate learns of the sale, not of who bought.
    names = queries.names_of(
        [
            None
            if earning.kind is EarningKind.AFFILIATE_COMMISSION
            else sold.order.organization_id,
            sold.reseller_id if earning.kind is EarningKind.PUBLISHER_SHARE else None,
        ]
    )
    return render_template(
        "earnings/line.html",
        earning=earning,
        sold=sold,
        order=sold.order,
        kind=KINDS[earning.kind],
        label=earning_label(earning, payout),
        sources=CAME_BY,
        payout=payout,
        payout_label=PAYOUT_STATES[payout.state] if payout else None,
        receipt=receipt_for(
            earning,
            fee_rule=queries.fee_rule_of(sold),
            commission_rule=queries.commission_rule_of(sold),
            exchange=queries.exchange_of(earning.order_id),
        ),
        conversion=(conversion := None if payout else conversion_of(earning)),
        conversion_rate=rate_text(conversion) if conversion else "",
        came_by=queries.came_by(sold) if earning.kind is EarningKind.AFFILIATE_COMMISSION else None,
        entries=queries.entries_of(earning.id),
        txn_label=txn_label,
        customer=names.get(sold.order.organization_id),
        reseller=names.get(sold.reseller_id or 0),
        questions=questions,
        people=queries.people_by_id(
            each for row in questions for each in (row.author_id, row.decided_by_id)
        ),
        may_ask=all(row.state.value != "open" for row in questions),
        form=form,
    )
