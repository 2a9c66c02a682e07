"""The staff's queue of applications."""

from typing import Any

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.program.applications import queries
from marketplace.program.applications.models import ApplicationState, RoundKind
from marketplace.program.applications.services.promises import queues_of
from marketplace.program.applications.texts import ROUND_KINDS, STATES
from marketplace.program.applications.views.blueprints import applications_staff, staff_tabs
from marketplace.program.applications.words import line

KINDS = ("admission", *(each.value for each in RoundKind))
SHOWN = ("open", "decided", *(each.value for each in ApplicationState))


@applications_staff.get("/staff/applications")
@needs("applications.review")
def queue() -> ResponseReturnValue:
    """Applications by kind, state and stage; `?format=csv` as a file."""
    args = request.args
    kind = args.get("kind", "") if args.get("kind") in KINDS else ""
    state = args.get("state", "open") if args.get("state") in SHOWN else "open"
    stage, text = line(args.get("stage"))[:40], line(args.get("q"))[:80]
    mine = bool(args.get("mine"))
    query = queries.queue(kind, state, stage, text, current_actor().user_id if mine else None)
    if args.get("format") == "csv":
        return _file(query)
    page = queries.page_of_queue(query, page_number(args.get("page")))
    ids = [row.id for row in page.items]
    counts = queries.counts_by_kind()
    kept: dict[str, Any] = {
        "state": state if state != "open" else None,
        "q": text or None,
        "mine": "1" if mine else None,
    }
    return render_template(
        "applications/queue.html",
        tabs=staff_tabs("applications_staff.queue"),
        kinds=[
            {
                "label": label,
                "href": url_for(".queue", kind=value or None, **kept),
                "current": value == kind,
                "count": counts.get(value, 0) if value else sum(counts.values()),
            }
            for value, label in (
                ("", "All"),
                ("admission", "Joining"),
                *((each.value, ROUND_KINDS[each]) for each in RoundKind),
            )
        ],
        page=page,
        organizations=queries.organizations(row.organization_id for row in page.items),
        reviewers=queries.reviewers_of(ids),
        scored=queries.scored_counts(ids),
        clocks=queues_of(sorted({row.kind for row in page.items})),
        stages=queries.stages_in_use(kind),
        now_at=clock.now(),
        args={"kind": kind or None, "stage": stage or None, **kept},
        kind=kind,
        state=state,
        stage=stage,
        q=text,
        mine=mine,
    )


def _file(query: object) -> Response:
    rows = db.session.scalars(query.limit(queries.MOST_IN_A_FILE)).all()  # type: ignore[attr-defined]  # a Select
    names = queries.organizations(row.organization_id for row in rows)
    reviewers = queries.reviewers_of([row.id for row in rows])
    return csv_response(
        "applications.csv",
        (
            "id", "what", "applicant", "email", "organization", "state", "stage", "submitted",
            "in queue since", "promised until", "decided", "reviewers",
        ),
        (
            (
                row.public_id,
                row.title,
                row.name,
                row.email,
                names[row.organization_id].name if row.organization_id in names else "",
                STATES[row.state][0],
                row.stage,
                row.submitted_at,
                row.queued_at,
                row.promised_until,
                row.decided_at,
                "; ".join(each.name for each in reviewers.get(row.id, ())),
            )
            for row in rows
        ),
    )  # fmt: skip
