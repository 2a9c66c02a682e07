"""The staff's vouchers."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.formatting import plain_amount
from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of, show_errors
from marketplace.program.applications.words import line
from marketplace.program.contacts.forms import end_of_day
from marketplace.program.policy.live import current_policy
from marketplace.program.vouchers import queries, services
from marketplace.program.vouchers.forms import IssueForm
from marketplace.program.vouchers.models import Voucher
from marketplace.program.vouchers.views.blueprints import vouchers_staff

_VOUCHER = needs("vouchers.issue", load=queries.find_voucher, name="voucher")
MOST_IN_A_FILE = 10_000


@vouchers_staff.get("/staff/vouchers")
@needs("vouchers.issue")
def index() -> ResponseReturnValue:
    """What was issued, and what became of it."""
    state, text = _asked()
    page = queries.page_of_vouchers(
        queries.vouchers(state, text), page_number(request.args.get("page"))
    )
    return render_template(
        "vouchers/staff_index.html",
        page=page,
        state=state,
        text=text,
        organizations=queries.organizations_by_id(row.organization_id for row in page.items),
    )


@vouchers_staff.get("/staff/vouchers.csv")
@needs("vouchers.issue")
def vouchers_file() -> ResponseReturnValue:
    """The same as a file. Tokens are not in it: nobody knows them."""
    rows = db.session.scalars(queries.vouchers(*_asked()).limit(MOST_IN_A_FILE)).all()
    organizations = queries.organizations_by_id(row.organization_id for row in rows)
    return csv_response(
        "vouchers.csv",
        ["ending", "amount", "currency", "state", "last day (UTC)", "used by", "note"],
        [
            (
                row.ending,
                plain_amount(row.amount, row.currency),
                row.currency,
                row.state,
                row.last_day,
                found.name if (found := organizations.get(row.organization_id or 0)) else "",
                row.note,
            )
            for row in rows
        ],
    )


@vouchers_staff.get("/staff/vouchers/new")
@needs("vouchers.issue")
def voucher_new() -> ResponseReturnValue:
    """The form."""
    return _form_page(IssueForm(formdata=None))


@vouchers_staff.post("/staff/vouchers/new")
@needs("vouchers.issue")
@limiter.limit("30 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def voucher_issue() -> ResponseReturnValue:
    """Issue them. The tokens are in this answer and nowhere else."""
    form = IssueForm()
    if not form.validate():
        return _form_page(form), 422
    wish = services.Issue(
        count=form.count.data if form.count.data is not None else 1,
        amount=form.amount.data or "",
        currency=form.currency.data or "",
        partner_type=line(form.partner_type.data)[:40],
        note=line(form.note.data),
        expires_at=end_of_day(form.until.data),
        total=form.total.data or "",
    )
    try:
        made = services.issue(
            wish, by_user_id=current_actor().user_id, form_key=form.form_key.data or ""
        )
    except InvalidError as error:
        return _form_page(form, show_errors(form, error)), 422
    except ConflictError as error:
        # A second click, or the page of the tokens was loaded again.
        flash(error.detail, "warning")
        return redirect(url_for("vouchers_staff.index"), code=303)
    return render_template("vouchers/issued.html", made=made)


@vouchers_staff.get("/staff/vouchers/<voucher_id>/revocation")
@_VOUCHER
def voucher_revoking(voucher: Voucher) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("vouchers/revocation.html", voucher=voucher)


@vouchers_staff.post("/staff/vouchers/<voucher_id>/revocation")
@_VOUCHER
def voucher_revoke(voucher: Voucher) -> ResponseReturnValue:
    """Take it back."""
    try:
        if services.revoke(voucher, by_user_id=current_actor().user_id):
            flash("Taken back.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("vouchers_staff.index"), code=303)


def _asked() -> tuple[str, str]:
    state = request.args.get("state", "")
    return state if state in queries.STATES else "", line(request.args.get("q"))[:80]


def _form_page(form: IssueForm, extra: list[str] | None = None) -> str:
    live = current_policy()
    types = live.policy.types if live else ()
    form.partner_type.choices = choices_of(
        [("", "Any type"), *((kind.key, kind.name) for kind in types)]
    )
    return render_template("vouchers/new.html", form=form, extra=extra or [])
