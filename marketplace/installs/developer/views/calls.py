"""What a partner's credentials called, for whoever looks for a mistake."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.csv_export import csv_response
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import NotFoundError
from marketplace.core.permissions import current_actor, needs
from marketplace.installs.developer.queries import calls as queries
from marketplace.installs.developer.queries.calls import CallFilter
from marketplace.installs.developer.views.blueprint import active_partner, blueprint
from marketplace.installs.models import ApiCall, Environment

PER_PAGE, MAX_TEXT = 50, 80


@blueprint.get("/api-calls")
@needs("developer.use")
def calls() -> ResponseReturnValue:
    """The calls, newest first, with filters and pages by place instead of number."""
    partner = active_partner()
    apps = queries.app_names(partner.id)
    wanted, args = _asked(apps)
    page = queries.page_of_calls(
        partner.id,
        wanted,
        older_than=_place(partner.id, request.args.get("older", "")),
        newer_than=_place(partner.id, request.args.get("newer", "")),
        limit=PER_PAGE,
    )
    return render_template(
        "developer/calls.html",
        page=page,
        wanted=wanted,
        args=args,
        is_filtered=any(args[name] for name in ("app", "status", "method", "q")),
        apps=apps,
        app_name={row: name for row, _public_id, name in apps},
        status_classes=queries.STATUS_CLASSES,
        methods=[("", "Any method"), *((name, name) for name in queries.METHODS)],
        cursor=_cursor,
    )


@blueprint.get("/api-calls.csv")
@needs("developer.use")
def calls_csv() -> ResponseReturnValue:
    """The newest 10,000 of the filtered calls as a file."""
    partner = active_partner()
    apps = queries.app_names(partner.id)
    wanted, _args = _asked(apps)
    names = {row: name for row, _public_id, name in apps}
    rows = db.session.scalars(queries.filtered(partner.id, wanted).limit(queries.MOST_IN_A_FILE))
    day = clock.now().date().isoformat()
    return csv_response(
        f"api-calls-{wanted.environment.value}-{day}.csv",
        [
            "Time",
            "Method",
            "Path",
            "Status",
            "Problem",
            "Milliseconds",
            "Credential",
            "App",
            "Request ID",
        ],
        (
            [
                row.created_at,
                row.method,
                row.path,
                row.status,
                row.problem,
                row.duration_ms,
                row.credential,
                names.get(row.app_id or 0, ""),
                row.request_id,
            ]
            for row in rows
        ),
    )


@blueprint.get("/api-calls/<request_id>")
@needs("developer.use")
def call(request_id: str) -> ResponseReturnValue:
    """One request by its id, which is also in every answer's X-Request-ID."""
    organization_id = current_actor().organization_id or 0
    found = queries.calls_of_request(organization_id, _clean(request_id))
    if not found:
        raise NotFoundError
    return render_template(
        "developer/call.html",
        calls=found,
        request_id=request_id,
        app_ids={
            row: (public_id, name) for row, public_id, name in queries.app_names(organization_id)
        },
    )


def _asked(apps: Any) -> tuple[CallFilter, Mapping[str, str | None]]:
    """The filter of the query string, and its parts for the addresses of other pages."""
    given = request.args
    environment = Environment.TEST if given.get("environment") == "test" else Environment.LIVE
    app_id = given.get("app", "")
    row = next((row for row, public_id, _name in apps if public_id == app_id), None)
    status = given.get("status", "")
    status = status if status in queries.STATUS_CLASSES else ""
    method = given.get("method", "").upper()
    method = method if method in queries.METHODS else ""
    text = " ".join(given.get("q", "").replace("\0", "").split())[:MAX_TEXT]
    args = {
        "environment": environment.value,
        "app": app_id if row is not None else None,
        "status": status or None,
        "method": method or None,
        "q": text or None,
    }
    return CallFilter(environment, row, status, method, text), args


def _clean(request_id: str) -> str:
    return request_id.replace("\0", "")[:64]


def _cursor(call: ApiCall) -> str:
    """How an address names a call: row numbers would tell how much everybody calls."""
    return f"{call.created_at.isoformat()}~{call.request_id}"


def _place(organization_id: int, cursor: str) -> int | None:
    """The row that a cursor names; None for none, for nonsense, and for a row that is gone."""
    moment, _tilde, request_id = cursor.partition("~")
    try:
        at = datetime.fromisoformat(moment).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return queries.place_of(organization_id, _clean(request_id), at)
