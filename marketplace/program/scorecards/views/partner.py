"""A partner's own scorecard."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import Actor, current_actor, needs
from marketplace.identity.models import Organization
from marketplace.program.policy.document import Metric, Policy, Unit
from marketplace.program.policy.live import current_policy
from marketplace.program.scorecards import counted, texts
from marketplace.program.scorecards.card import history_of, scorecard_of
from marketplace.program.scorecards.obligations import obligations_of
from marketplace.program.scorecards.policies import MONEY_ROLES
from marketplace.program.scorecards.services.evaluation import evaluate
from marketplace.program.scorecards.views.blueprints import scorecards

MOST_CSV_ROWS = 50_000
CSV_COLUMNS = ("Counts at", "Amount", "Currency", "Source", "Source id", "Recorded at")


@scorecards.get("/partner/scorecard")
@needs("scorecard.read")
def scorecard() -> ResponseReturnValue:
    """Tier, points, metrics, gaps, the cheapest path and what happened."""
    own = _own()
    card = scorecard_of(own)
    return render_template(
        "scorecards/scorecard.html",
        card=card,
        organization=own,
        history=history_of(own.id) if card else None,
        texts=texts,
    )


@scorecards.get("/partner/scorecard/metrics/<metric_key>")
@needs("scorecard.read")
def metric(metric_key: str) -> ResponseReturnValue:
    """What counted for one metric."""
    own = _own()
    policy, found = find_metric(metric_key)
    refuse_money(found)
    return render_template(
        "scorecards/metric.html", organization=own, **metric_page(own, policy, found)
    )


@scorecards.get("/partner/scorecard/metrics/<metric_key>/measurements.csv")
@needs("scorecard.read")
def metric_csv(metric_key: str) -> ResponseReturnValue:
    """The same as a file."""
    _policy, found = find_metric(metric_key)
    refuse_money(found)
    return measurements_csv(_own(), found)


@scorecards.post("/partner/scorecard/evaluate")
@needs("scorecard.evaluate")
@limiter.limit("12 per hour", key_func=lambda: f"evaluate:{current_actor().organization_id}")
def evaluate_now() -> ResponseReturnValue:
    """Evaluate now instead of tonight."""
    own = _own()
    try:
        evaluate(own.id, by_user_id=current_actor().user_id)
    except NotFoundError:
        flash("Your organization is not in the program.", "warning")
    except ConflictError as error:
        flash(error.detail, "warning")
    else:
        flash("Evaluated. This is where you stand now.", "success")
    return redirect(url_for("scorecards.scorecard"), code=303)


@scorecards.get("/partner/scorecard/progress")
@needs("scorecard.read")
def progress() -> ResponseReturnValue:
    """What both sides owe each other."""
    own = _own()
    return render_template(
        "scorecards/progress.html",
        organization=own,
        obligations=obligations_of(own.id),
        moment=clock.now(),
        is_staff_page=False,
    )


def find_metric(metric_key: str) -> tuple[Policy, Metric]:
    """The metric of the policy in force. Raises NotFoundError."""
    live = current_policy()
    found = live.policy.metric(metric_key) if live is not None else None
    if live is None or found is None:
        raise NotFoundError
    return live.policy, found


def sees_money(actor: Actor) -> bool:
    """Whether single orders may be shown: to who deals with the partner's money."""
    return actor.organization is not None and actor.organization.role in MONEY_ROLES


def refuse_money(found: Metric) -> None:
    """Raise NotFoundError where a metric is of money and the person does not deal with it."""
    if found.unit is Unit.MONEY and not sees_money(current_actor()):
        raise NotFoundError


def metric_page(organization: Organization, policy: Policy, found: Metric) -> dict[str, object]:
    """What the page of a metric needs, for a partner's people and for staff."""
    at = clock.now()
    return {
        "metric": found,
        "policy": policy,
        "value": counted.value_at(organization.id, found, policy, at),
        "sums": counted.sums_by_currency(organization.id, found, policy, at),
        "page": counted.counted_page(
            organization.id, found, at, page_number(request.args.get("page"))
        ),
        "counted": counted,
        "texts": texts,
    }


def measurements_csv(organization: Organization, found: Metric) -> ResponseReturnValue:
    """What counted as a file: the newest rows first."""
    rows = db.session.scalars(
        counted.counted(organization.id, found, clock.now()).limit(MOST_CSV_ROWS)
    )
    return csv_response(
        f"{organization.slug}-{found.key}.csv",
        CSV_COLUMNS,
        (
            (
                row.counts_at,
                row.amount,
                row.currency,
                row.source_type,
                row.source_id,
                row.recorded_at,
            )
            for row in rows
        ),
    )


def _own() -> Organization:
    found = db.session.get(Organization, current_actor().organization_id or 0)
    if found is None:
        raise NotFoundError
    return found
