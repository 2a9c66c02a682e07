"""All runs, what the next one could pay, and computing it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.payouts.alerts import payout_alerts
from billing.payouts.computing import start_run_later
from marketplace.core.errors import ConflictError
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import needs
from marketplace.sales.earnings.queries import people_by_id
from marketplace.sales.finance.payouts import queries
from marketplace.sales.finance.payouts.views.blueprint import RUN_STATES, blueprint, user_id

PER_PAGE = 20


@blueprint.get("")
@needs("payouts.read")
def runs() -> ResponseReturnValue:
    """Runs, alerts, and what is payable now."""
    page = paginate(queries.runs(), page=page_number(request.args.get("page")), per_page=PER_PAGE)
    return render_template(
        "finance_payouts/runs.html",
        page=page,
        states=RUN_STATES,
        alerts=payout_alerts(),
        payable=queries.payable_now(),
        waiting=next((run for run in page.items if run.open_slot is not None), None),
        people=people_by_id(
            each for run in page.items for each in (run.computed_by_id, run.approved_by_id)
        ),
    )


@blueprint.post("")
@needs("payouts.run")
def compute() -> ResponseReturnValue:
    """Compute a run of everything that is payable now."""
    try:
        run = start_run_later(user_id())
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("finance_payouts.runs"), 303)
    return redirect(url_for("finance_payouts.run", payout_run_id=run.public_id), 303)
