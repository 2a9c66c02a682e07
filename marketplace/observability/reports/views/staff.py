"""The staff's page: the schedule, reports made now, and the history."""

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.observability.periods import month_of
from marketplace.observability.reports import queries, services
from marketplace.observability.reports.files import csv_of, pdf_of
from marketplace.observability.reports.forms import MakeForm, ScheduleForm
from marketplace.observability.reports.models import ActivityReport, ReportScope
from marketplace.observability.reports.snapshot import digest_of
from marketplace.observability.reports.views.blueprints import reports_staff
from marketplace.sales.form_errors import show_errors

_HANDLE = needs("reports.manage", load=queries.find_report, name="report")
SCOPES = {ReportScope.PARTNER: "Partners", ReportScope.PROGRAM: "Whole program"}


@reports_staff.get("/staff/reports")
@needs("reports.manage")
def index() -> ResponseReturnValue:
    """Schedules and history."""
    return _index(_make_form())


@reports_staff.get("/staff/reports/schedules/<report_scope>")
@needs("reports.manage")
def schedule(report_scope: str) -> ResponseReturnValue:
    """The form of a schedule."""
    scope = _scope(report_scope)
    row = services.schedules()[scope]
    form = ScheduleForm(formdata=None)
    form.is_on.data, form.day.data, form.staff.data = row.is_on, row.day, row.staff_ids
    return _schedule_page(scope, form)


@reports_staff.post("/staff/reports/schedules/<report_scope>")
@needs("reports.manage")
def set_schedule(report_scope: str) -> ResponseReturnValue:
    """Save it."""
    scope, form = _scope(report_scope), ScheduleForm()
    valid = form.validate()
    if not valid:
        return _schedule_page(scope, form), 422
    user_id = current_actor().user_id
    assert user_id is not None  # noqa: S101 - staff are signed in
    try:
        row = services.set_schedule(
            scope,
            is_on=bool(form.is_on.data),
            day=form.day.data,
            staff_ids=form.staff.data or [],
            by_user_id=user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _schedule_page(scope, form), 422
    flash("The schedule is on." if row.is_on else "The schedule is off.", "success")
    return redirect(url_for("reports_staff.index"), 303)


@reports_staff.post("/staff/reports")
@needs("reports.manage")
@limiter.limit("60 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def make() -> ResponseReturnValue:
    """Make a report now, and mail it."""
    form = MakeForm()
    valid = form.validate()
    scope = _scope(form.scope.data or "", hidden=False)
    organization: Organization | None = None
    if scope is ReportScope.PARTNER:
        organization = queries.find_partner((form.partner.data or "").replace("\0", ""))
        if organization is None:
            form.partner.errors = [*form.partner.errors, "No partner, or several, of that name."]
            valid = False
    if scope is None:
        form.scope.errors = [*form.scope.errors, "Choose one."]
    if not valid or scope is None:
        return _index(form), 422
    form_key = (form.form_key.data or "").replace("\0", "") or new_public_id("now")
    try:
        report = services.make_report(
            scope,
            organization,
            (form.month.data or "").strip(),
            cause=f"now:{form_key}",
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _index(form), 422
    if report is None:
        flash("This form was sent before.", "info")
        return redirect(url_for("reports_staff.index"), 303)
    flash("Made. Whoever gets it is written to.", "success")
    return redirect(url_for("reports_staff.show", report_id=report.public_id), 303)


@reports_staff.get("/staff/reports/<report_id>")
@_HANDLE
def show(report: ActivityReport) -> ResponseReturnValue:
    """One report, as it was made."""
    return render_template(
        "reports/staff_show.html",
        report=report,
        is_whole=digest_of(report.data) == report.digest,
        receivers=services.receivers(report),
        sent=queries.sendings_of([report.id]).get(report.id, 0),
        resend_key=new_public_id("snd"),
    )


@reports_staff.post("/staff/reports/<report_id>/sendings")
@_HANDLE
@limiter.limit("60 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def send_again(report: ActivityReport) -> ResponseReturnValue:
    """Mail it once more."""
    key = request.form.get("resend_key", "").replace("\0", "")[:40] or new_public_id("snd")
    count = services.send_report(report, key=key, by_user_id=current_actor().user_id)
    flash(f"Sent to {count}." if count else "Nobody new to send it to.", "success")
    return redirect(url_for("reports_staff.show", report_id=report.public_id), 303)


@reports_staff.get("/staff/reports/<report_id>.pdf")
@_HANDLE
def document(report: ActivityReport) -> ResponseReturnValue:
    """The same as PDF."""
    return pdf_of(report, str(current_app.config["SITE_NAME"]))


@reports_staff.get("/staff/reports/<report_id>.csv")
@_HANDLE
def export(report: ActivityReport) -> ResponseReturnValue:
    """Its figures as CSV."""
    return csv_of(report)


def _index(form: MakeForm) -> str:
    asked = request.args.get("scope", "")
    scope = ReportScope(asked) if asked in set(ReportScope) else None
    month = request.args.get("month", "")
    month = month if month_of(month) else ""
    text = " ".join(request.args.get("q", "").replace("\0", "").split())[:80]
    page = paginate(
        queries.all_reports(scope, month, text),
        page=page_number(request.args.get("page")),
        per_page=queries.PER_PAGE,
    )
    context: dict[str, Any] = {
        "schedules": services.schedules(),
        "scopes": SCOPES,
        "form": form,
        "page": page,
        "sent": queries.sendings_of([row.id for row in page.items]),
        "scope": scope,
        "month": month,
        "text": text,
        "staff_names": {user.id: user.name for user in services.staff_people()},
    }
    return render_template("reports/staff.html", **context)


def _make_form() -> MakeForm:
    form = MakeForm(formdata=None)
    form.month.data = services.month_before(clock.now())
    form.form_key.data = new_public_id("now")
    return form


def _schedule_page(scope: ReportScope, form: ScheduleForm) -> str:
    form.staff.choices = [(user.id, user.name) for user in services.staff_people()]
    # What was typed and could not be read is no choice.
    form.staff.data = [each for each in form.staff.data or [] if isinstance(each, int)]
    db.session.flush()
    return render_template("reports/schedule.html", scope=scope, scopes=SCOPES, form=form)


def _scope(text: str, *, hidden: bool = True) -> Any:
    """The scope of that name; for an address, NotFoundError without one, else None."""
    if text in set(ReportScope):
        return ReportScope(text)
    if hidden:
        raise NotFoundError
    return None
