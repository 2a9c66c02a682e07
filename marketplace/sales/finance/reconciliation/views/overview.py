"""What does not agree now, what the totals are, and the runs."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.gateway import has_stripe
from billing.models import BreakState, BreakType
from billing.money import CURRENCIES
from billing.reconciliation.balances import from_figures
from billing.reconciliation.jobs import reconcile_later
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.sales.finance.reconciliation import queries
from marketplace.sales.finance.reconciliation.views.blueprint import reconciliation


@reconciliation.get("/reconciliation")
@needs("reconciliation.use")
def home() -> ResponseReturnValue:
    """Balances by currency, and the breaks."""
    wanted = _filter()
    page = queries.page_of_breaks(wanted, page_number(request.args.get("page")))
    latest = queries.latest_run()
    return render_template(
        "reconciliation/home.html",
        wanted=wanted,
        page=page,
        counts=queries.break_counts(),
        by_type=queries.open_by_type(),
        latest=latest,
        running=queries.running_run(),
        balances=from_figures(latest.figures) if latest else [],
        people=queries.names_of({each.owner_id for each in page.items}),
        has_stripe=has_stripe(),
        me=current_actor().user_id,
    )


@reconciliation.get("/reconciliation/progress")
@needs("reconciliation.use")
def progress() -> ResponseReturnValue:
    """The line that says how far the run is; asked for again while one is under way."""
    running = queries.running_run()
    response = render_template(
        "reconciliation/_progress.html", running=running, latest=queries.latest_run()
    )
    if running is None:
        # It ended: the page shows what it found.
        return response, 200, {"HX-Refresh": "true"}
    return response


@reconciliation.post("/reconciliation/runs")
@needs("reconciliation.use")
def run_now() -> ResponseReturnValue:
    """Reconcile now, or go on with what is under way."""
    if not has_stripe():
        flash("Stripe is not set up yet.", "warning")
    else:
        user_id = current_actor().user_id
        assert user_id is not None  # noqa: S101 - staff are signed in
        reconcile_later(user_id)
        flash("Reconciling. This page follows it.", "info")
    return redirect(url_for("reconciliation.home"), code=303)


@reconciliation.get("/reconciliation/runs")
@needs("reconciliation.use")
def runs() -> ResponseReturnValue:
    """Every run and what it came to."""
    page = queries.page_of_runs(page_number(request.args.get("page")))
    return render_template(
        "reconciliation/runs.html",
        page=page,
        people=queries.names_of({each.started_by_id for each in page.items}),
    )


def _filter() -> queries.BreakFilter:
    """What the address asks for; anything unusable is left out."""
    state = request.args.get("state", "open")
    type_ = request.args.get("type", "")
    currency = request.args.get("currency", "")
    return queries.BreakFilter(
        state=state if state in set(BreakState) else "open",
        type=type_ if type_ in set(BreakType) else "",
        currency=currency if currency in CURRENCIES else "",
        month=request.args.get("month", "")[:7],
        owner_id=current_actor().user_id if request.args.get("mine") == "1" else None,
    )
