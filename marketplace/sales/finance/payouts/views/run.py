"""One run: what it pays and holds, what is different, approval, and its progress."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from billing.formatting import plain_amount
from billing.models import PayoutRun, PayoutState, RunState
from billing.payouts.approving import approve
from billing.payouts.canceling import abort
from billing.payouts.comparing import compare
from billing.payouts.digest import digest_of
from billing.payouts.executing import execute
from marketplace.catalogue.engagement.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError
from marketplace.core.pagination import Page, page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.sales.earnings.queries import names_of, people_by_id
from marketplace.sales.earnings.texts import PAYOUT_STATES
from marketplace.sales.finance.payouts import queries
from marketplace.sales.finance.payouts.forms import ApprovalForm, ReasonForm
from marketplace.sales.finance.payouts.views.blueprint import (
    RUN_STATES,
    asked_run,
    blueprint,
    user_id,
)
from marketplace.sales.parties import organizations_of

PER_PAGE = 25
_TO_DO = (PayoutState.RESERVED,)
_UNDER_WAY = (PayoutState.SUBMITTING, PayoutState.UNKNOWN)
_DONE = (
    PayoutState.TRANSFERRED,
    PayoutState.PAID,
    PayoutState.FAILED,
    PayoutState.RETURNED,
    PayoutState.REVERSING,
    PayoutState.REVERSED,
)
# What the payouts of a run are shown by: the query string's word, its label and the states.
GROUPS: dict[str, tuple[str, tuple[PayoutState, ...]]] = {
    "paid": ("To be paid", (PayoutState.COMPUTED, *_TO_DO, *_UNDER_WAY, *_DONE)),
    "held": ("Held", (PayoutState.HELD,)),
    "trouble": (
        "Needs a look",
        (
            PayoutState.REJECTED,
            PayoutState.UNKNOWN,
            PayoutState.FAILED,
            PayoutState.RETURNED,
            PayoutState.CANCELED,
        ),
    ),
}


@blueprint.get("/<payout_run_id>")
@needs("payouts.read", load=asked_run, name="run")
def run(run: PayoutRun) -> ResponseReturnValue:
    """Everything that somebody who approves it should see."""
    return _page(run)


@blueprint.get("/<payout_run_id>/progress")
@needs("payouts.read", load=asked_run, name="run")
def progress(run: PayoutRun) -> ResponseReturnValue:
    """How far it is, and where the payouts on the page are: asked for again and again while it
    goes on. When it ends, or begins or ceases to wait, the whole page says other things."""
    shown = _progress(run) | _listed(run)
    answer = render_template("finance_payouts/_progress.html", **shown)
    if run.state is RunState.EXECUTING:
        answer += render_template("finance_payouts/_payouts.html", is_beside=True, **shown)
    if not shown["is_live"] or bool(run.stalled_reason) != ("stalled" in request.args):
        return answer, 200, {"HX-Refresh": "true"}
    return answer


@blueprint.post("/<payout_run_id>/approval")
@needs("payouts.run", load=asked_run, name="run")
def approve_run(run: PayoutRun) -> ResponseReturnValue:
    """Approve what was seen."""
    form = ApprovalForm()
    held_before = _held(run)
    try:
        approved = approve(
            run.id,
            by_user_id=user_id(),
            digest=form.digest.data or "",
            own=organizations_of(current_actor()),
        )
    except (ConflictError, ForbiddenError) as error:
        db.session.rollback()
        flash(error.detail, "warning")
        return redirect(_address(run), 303)
    left_out = _held(approved) - held_before
    flash(
        "Approved. The money is set aside; press Pay to send it."
        if not left_out
        else f"Approved. {left_out} changed meanwhile and left out. Press Pay to send the rest.",
        "success",
    )
    return redirect(_address(run), 303)


@blueprint.post("/<payout_run_id>/execution")
@needs("payouts.run", load=asked_run, name="run")
def execute_run(run: PayoutRun) -> ResponseReturnValue:
    """Pay it, or go on with one that waits for money."""
    try:
        execute(run.id, by_user_id=user_id())
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(_address(run), 303)


@blueprint.get("/<payout_run_id>/cancellation")
@needs("payouts.run", load=asked_run, name="run")
def confirm_cancellation(run: PayoutRun) -> ResponseReturnValue:
    """The question before a run is canceled."""
    return render_template(
        "finance_payouts/cancellation.html", run=run, form=ReasonForm(formdata=None)
    )


@blueprint.post("/<payout_run_id>/cancellation")
@needs("payouts.run", load=asked_run, name="run")
def cancel_run(run: PayoutRun) -> ResponseReturnValue:
    """Cancel it: what has not left is payable again."""
    form = ReasonForm()
    if not form.validate():
        return render_template("finance_payouts/cancellation.html", run=run, form=form), 422
    try:
        abort(run.id, by_user_id=user_id(), reason=form.reason.data or "")
        flash("Canceled. What had not left is payable again.", "success")
    except (ConflictError, InvalidError) as error:
        flash(error.detail, "warning")
    return redirect(_address(run), 303)


@blueprint.get("/<payout_run_id>.csv")
@needs("payouts.read", load=asked_run, name="run")
def run_csv(run: PayoutRun) -> ResponseReturnValue:
    """All payouts of a run as a file."""
    return csv_response(
        f"payout-run-{run.public_id}.csv",
        ("partner", "partner id", "currency", "amount", "carried", "state", "reason",
         "destination", "transfer", "transferred", "payout"),
        _csv_rows(run),
    )  # fmt: skip


def _csv_rows(run: PayoutRun) -> Iterator[Sequence[object]]:
    query = queries.payouts_of_run(run.id).execution_options(yield_per=500)
    for row, name in db.session.execute(query):
        yield (
            name,
            row.partner_id,
            row.currency,
            plain_amount(row.amount, row.currency),
            plain_amount(row.carried, row.currency),
            PAYOUT_STATES[row.state].text,
            row.reason,
            row.destination,
            row.transfer_id,
            row.transferred_at,
            row.public_id,
        )


def _held(run: PayoutRun) -> int:
    return sum(int(each["held"]) for each in run.totals.values())


def _address(run: PayoutRun) -> str:
    return url_for("finance_payouts.run", payout_run_id=run.public_id)


def _progress(run: PayoutRun) -> dict[str, Any]:
    counts = queries.counts_by_state(run.id)

    def count(*states: PayoutState) -> int:
        return sum(counts.get(state, 0) for state in states)

    all_of_it = sum(counts.values()) - count(PayoutState.HELD)
    done = count(*_DONE, PayoutState.REJECTED, PayoutState.CANCELED)
    return {
        "run": run,
        "state": RUN_STATES[run.state],
        "total": all_of_it,
        "done": done,
        "transferred": count(*_DONE),
        "waiting": count(*_TO_DO),
        "unknown": count(*_UNDER_WAY),
        "refused": count(PayoutState.REJECTED),
        "canceled": count(PayoutState.CANCELED),
        "is_live": run.state in (RunState.DRAFT, RunState.EXECUTING),
    }


def _listed(run: PayoutRun) -> dict[str, Any]:
    """The payouts that the query string asks for, a page of them."""
    group = request.args.get("show", "")
    group = group if group in GROUPS else "paid"
    text = " ".join(request.args.get("q", "").replace("\x00", "").split())[:80]
    query = queries.payouts_of_run(run.id, states=GROUPS[group][1], text=text)
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
    number = max(1, min(page_number(request.args.get("page")), -(-(total or 0) // PER_PAGE)))
    rows = db.session.execute(query.limit(PER_PAGE).offset((number - 1) * PER_PAGE)).all()
    return {
        "group": group,
        "q": text,
        "page": Page(items=rows, total=total or 0, page=number, per_page=PER_PAGE),
        "payout_states": PAYOUT_STATES,
    }


def _page(run: PayoutRun) -> str:
    counts = queries.counts_by_state(run.id)
    comparison = compare(run) if run.state is not RunState.DRAFT else None
    is_computed = run.state is RunState.COMPUTED
    return render_template(
        "finance_payouts/run.html",
        states=RUN_STATES,
        groups=[
            (key, label, sum(counts.get(state, 0) for state in states))
            for key, (label, states) in GROUPS.items()
        ],
        reasons=queries.held_reasons(run.id),
        comparison=comparison,
        names=names_of(change.partner_id for change in comparison.largest) if comparison else {},
        people=people_by_id((run.computed_by_id, run.approved_by_id)),
        digest=digest_of(run.id) if is_computed else run.approved_digest,
        is_own=run.computed_by_id == user_id(),
        steps=_steps(run),
        **_listed(run),
        **_progress(run),
    )


def _steps(run: PayoutRun) -> list[dict[str, str]]:
    """Computed, approved, paid: where it is."""
    order = [RunState.DRAFT, RunState.COMPUTED, RunState.APPROVED, RunState.EXECUTING]
    place = order.index(run.state) if run.state in order else len(order)
    if run.state is RunState.ABORTED:
        return []
    last = "problem" if run.state is RunState.COMPLETED_WITH_ERRORS else "done"
    found = []
    for number, label in enumerate(("Computed", "Approved by a second person", "Paid")):
        state = "done" if place > number else "current" if place == number else "upcoming"
        if number == 2:
            is_stalled = run.stalled_reason and not run.aborted_reason
            paying = "problem" if is_stalled else "current"
            state = last if place > 3 else paying if place == 3 else "upcoming"
            state = "current" if place == 2 else state
        found.append({"label": label, "state": state, "note": ""})
    return found
