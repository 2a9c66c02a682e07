"""Governance: what ends, what was overridden, and whether the audit trail is whole."""

import json
from collections.abc import Iterator
from datetime import date, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.limits import limiter
from marketplace.core.pagination import Page, page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.observability.governance import queries
from marketplace.observability.governance.checking import ask_for_check, latest_checks
from marketplace.observability.governance.expiring import expiring_between
from marketplace.observability.governance.models import CheckState
from marketplace.observability.governance.providers import KINDS
from marketplace.observability.governance.queries import FactFilter
from marketplace.observability.governance.views.blueprints import governance
from marketplace.observability.periods import month_of
from marketplace.program.contacts.reading import count_overdue_contacts, overdue_contacts

SOON = timedelta(days=30)
LIST_PAGE = 50
MOST_FACTS = 50_000
UNDER_WAY = (CheckState.WAITING, CheckState.RUNNING)


@governance.get("/staff/governance")
@needs("governance.read")
def index() -> ResponseReturnValue:
    """What needs somebody: the chain, late contacts, overrides, and what ends within 30 days."""
    now = clock.now()
    # One more than is shown says whether there are more.
    ends = expiring_between(now, now + SOON, LIST_PAGE + 1)
    return render_template(
        "governance/index.html",
        checks=latest_checks(),
        under_way=UNDER_WAY,
        overdue=overdue_contacts(now, LIST_PAGE),
        overdue_count=count_overdue_contacts(now),
        overrides=queries.overrides_in_force(now, LIST_PAGE),
        override_count=queries.count_overrides(now),
        ends=ends[:LIST_PAGE],
        has_more_ends=len(ends) > LIST_PAGE,
        kinds=KINDS,
    )


@governance.get("/staff/governance/calendar")
@needs("governance.read")
def calendar() -> ResponseReturnValue:
    """A month of what ends, as weeks and as a list."""
    now = clock.now()
    month = request.args.get("month", "")
    times = month_of(month)
    if times is None:
        month = f"{now:%Y-%m}"
        times = month_of(month)
    assert times is not None  # noqa: S101 - the current month is a month
    begin, end = times
    kind = request.args.get("kind", "")
    kind = kind if kind in KINDS else ""
    ends = queries.ends_between(begin, end, kind)
    number = max(1, min(page_number(request.args.get("page")), -(-len(ends) // LIST_PAGE)))
    first = (number - 1) * LIST_PAGE
    return render_template(
        "governance/calendar.html",
        month=month,
        title=f"{begin:%B %Y}",
        earlier=f"{begin - timedelta(days=1):%Y-%m}",
        later=f"{end:%Y-%m}",
        weeks=queries.weeks_of(begin, end, ends),
        page=Page(ends[first : first + LIST_PAGE], len(ends), number, LIST_PAGE),
        kind=kind,
        kinds=KINDS,
        today=now.date(),
    )


@governance.get("/staff/governance/calendar.csv")
@needs("governance.read")
def calendar_csv() -> ResponseReturnValue:
    """The same month as a file."""
    now = clock.now()
    times = month_of(request.args.get("month", "")) or month_of(f"{now:%Y-%m}")
    assert times is not None  # noqa: S101 - the current month is a month
    kind = request.args.get("kind", "")
    ends = queries.ends_between(*times, kind if kind in KINDS else "")
    rows = ([each.at, KINDS.get(each.kind, each.kind), each.title, each.href] for each in ends)
    return csv_response(f"ending-{times[0]:%Y-%m}.csv", ("at", "kind", "what", "page"), rows)


@governance.post("/staff/governance/checks")
@needs("governance.read")
@limiter.limit("20 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def verify() -> ResponseReturnValue:
    """Have the chain verified now."""
    if ask_for_check(current_actor().user_id):
        flash("The audit trail is being verified. This page follows it.", "info")
    else:
        flash("A verification is under way already.", "info")
    return redirect(url_for("governance.index"), 303)


@governance.get("/staff/governance/checks/progress")
@needs("governance.read")
def progress() -> ResponseReturnValue:
    """The line that says how far the verification is; asked again while one is under way."""
    checks = latest_checks(1)
    page = render_template("governance/_progress.html", check=checks[0] if checks else None)
    if not checks or checks[0].state not in UNDER_WAY:
        # It ended: the page shows what it found.
        return page, 200, {"HX-Refresh": "true"}
    return page


@governance.get("/staff/governance/facts")
@needs("governance.read")
def facts() -> ResponseReturnValue:
    """The audit trail, the newest facts first, with filters."""
    asked, problem = _asked()
    before = _before(request.args.get("before", ""))
    rows, following = queries.page_of_facts(asked, before)
    people, organizations = queries.names_for(rows)
    return render_template(
        "governance/facts.html",
        rows=rows,
        following=following,
        before=before,
        people=people,
        organizations=organizations,
        asked=asked,
        problem=problem,
        as_json=lambda data: json.dumps(data, ensure_ascii=False, sort_keys=True),
    )


@governance.get("/staff/governance/facts.csv")
@needs("governance.read")
def facts_csv() -> ResponseReturnValue:
    """The same facts as a file, the newest 50,000."""
    asked, _problem = _asked()
    found = db.session.scalars(queries.facts(asked).limit(MOST_FACTS)).all()

    def lines() -> Iterator[list[object]]:
        for row in found:
            yield [
                row.id,
                row.happened_at,
                row.kind,
                f"{row.subject_type}:{row.subject_id}",
                row.actor_user_id,
                row.organization_id,
                json.dumps(row.data, ensure_ascii=False, sort_keys=True),
                row.hash,
            ]

    heads = ("id", "at", "kind", "subject", "actor", "organization", "data", "hash")
    return csv_response("facts.csv", heads, lines())


def _asked() -> tuple[FactFilter, str]:
    first, last = _date("from"), _date("to")
    problem = ""
    if (request.args.get("from") and first is None) or (request.args.get("to") and last is None):
        problem = "That is no day. Facts of all days are shown."
    return (
        FactFilter(
            kind=_text("kind"),
            subject=_text("subject"),
            actor=_text("actor"),
            organization=_text("organization"),
            first=first,
            last=last,
        ),
        problem,
    )


def _text(name: str) -> str:
    return " ".join(request.args.get(name, "").replace("\0", "").split())[:120]


def _date(name: str) -> date | None:
    text = request.args.get(name, "")
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _before(text: str) -> int | None:
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        return None
    return min(int(text), queries.BIGGEST_ID)
