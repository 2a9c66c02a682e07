"""Statements of a month: as a page, as CSV and as PDF."""

from datetime import datetime
from itertools import islice

from flask import Response, current_app, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from billing.statements import (
    SECTION_ORDER,
    Statement,
    months_of,
    statement,
    statement_lines,
)
from marketplace.core import clock
from marketplace.core.errors import NotFoundError
from marketplace.core.permissions import needs
from marketplace.identity.models import Organization
from marketplace.sales.earnings.statement_files import (
    PDF_LINES,
    csv_chunks,
    month_name,
    pdf_of,
)
from marketplace.sales.earnings.texts import SECTIONS, txn_label
from marketplace.sales.earnings.views.blueprint import (
    active_partner,
    asked_currency,
    asked_month,
    blueprint,
    partner_id,
)

SHOWN = 200


@blueprint.get("/earnings/statements")
@needs("earnings.read")
def statements() -> ResponseReturnValue:
    """The months of which there is a statement."""
    months: dict[str, list[str]] = {}
    for month, currency in months_of(partner_id()):
        months.setdefault(month, []).append(currency)
    return render_template("earnings/statements.html", months=months, month_name=month_name)


@blueprint.get("/earnings/statements/<period_code>")
@needs("earnings.read")
def statement_page(period_code: str) -> ResponseReturnValue:
    """One statement: its sums and its lines."""
    found, others = _asked(period_code, partner_id())
    rows = list(
        statement_lines(
            found.partner_id, found.currency, found.month, as_of=found.as_of, limit=SHOWN
        )
    )
    return render_template(
        "earnings/statement.html",
        statement=found,
        lines=rows,
        others=others,
        month=month_name(found.month),
        sections=[(key, SECTIONS[key]) for key in SECTION_ORDER if key in found.sums],
        section_names=SECTIONS,
        txn_label=txn_label,
        is_now="as_of" not in request.args,
    )


@blueprint.get("/earnings/statements/<period_code>.csv")
@needs("earnings.read")
def statement_csv(period_code: str) -> ResponseReturnValue:
    """All lines of a statement, written while they are read."""
    partner = active_partner()
    found, _ = _asked(period_code, partner.id)
    lines = statement_lines(partner.id, found.currency, found.month, as_of=found.as_of)
    response = Response(
        stream_with_context(csv_chunks(found, lines)), content_type="text/csv; charset=utf-8"
    )
    return _download(response, partner, found, "csv")


@blueprint.get("/earnings/statements/<period_code>.pdf")
@needs("earnings.read")
def statement_pdf(period_code: str) -> ResponseReturnValue:
    """A statement for people, with its first lines."""
    partner = active_partner()
    found, _ = _asked(period_code, partner.id)
    lines = statement_lines(
        partner.id, found.currency, found.month, as_of=found.as_of, limit=PDF_LINES
    )
    body = pdf_of(
        found,
        islice(lines, PDF_LINES),
        partner_name=partner.name,
        site_name=str(current_app.config["SITE_NAME"]),
        csv_address=str(current_app.config["PUBLIC_URL"])
        + url_for(
            "earnings.statement_csv",
            period_code=found.month,
            currency=found.currency,
            as_of=_as_text(found.as_of),
        ),
    )
    return _download(Response(body, content_type="application/pdf"), partner, found, "pdf")


def _asked(period_code: str, partner: int) -> tuple[Statement, list[str]]:
    """The statement that is asked for, and all currencies of its month."""
    month = asked_month(period_code)
    others = [currency for code, currency in months_of(partner) if code == month]
    currency = asked_currency() or (others[0] if others else "")
    if currency not in others:
        raise NotFoundError
    return statement(partner, currency, month, as_of=_as_of()), others


def _as_of() -> datetime:
    """The moment as of which is asked, now by default; UTC. Raises NotFoundError for no moment."""
    wanted = request.args.get("as_of", "").replace(" ", "+")
    if not wanted:
        return clock.now()
    try:
        moment = datetime.fromisoformat(wanted)
    except ValueError:
        raise NotFoundError from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=clock.now().tzinfo)
    if not 2000 <= moment.year <= 9000:
        raise NotFoundError
    return moment


def _as_text(moment: datetime) -> str:
    return moment.isoformat()


@blueprint.app_template_filter("as_moment")
def as_moment(moment: datetime) -> str:
    """A moment as it stands in the address of a statement."""
    return _as_text(moment)


def _download(response: Response, partner: Organization, found: Statement, ending: str) -> Response:
    name = f"{partner.slug}-statement-{found.month}-{found.currency}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
