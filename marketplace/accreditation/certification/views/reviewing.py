"""Certifications as reviewers decide them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.acting import people_by_id
from marketplace.accreditation.certification import queries, texts
from marketplace.accreditation.certification.checklist import in_the_way, percent_accepted
from marketplace.accreditation.certification.forms import ReasonForm, RemarkForm
from marketplace.accreditation.certification.models import Certification
from marketplace.accreditation.certification.queries import ItemOf
from marketplace.accreditation.certification.services import deciding, gathering
from marketplace.accreditation.certification.views.blueprints import certification_staff
from marketplace.accreditation.certification.views.partner import file_of
from marketplace.accreditation.form_errors import show_errors
from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs

_PATH = "/staff/certifications/<certification_id>"
_DECIDE = needs("certification.decide", load=queries.find_certification, name="found")
_ITEM = needs("certification.decide", load=queries.find_item, name="item")


@certification_staff.get("/staff/certifications")
@needs("certifications.review")
def queue() -> ResponseReturnValue:
    """What waits for a decision."""
    shown = request.args.get("show", "submitted")
    shown = shown if shown in queries.QUEUES else "submitted"
    text = request.args.get("q", "").replace("\x00", "").strip()[:80]
    page = queries.page_of_queue(shown, text, page_number(request.args.get("page")))
    return render_template(
        "certification/queue.html",
        page=page,
        names=queries.names_of(page.items),
        shown=shown,
        q=text,
        queues=queries.QUEUES,
        counts=queries.queue_counts(),
        texts=texts,
    )


@certification_staff.get(_PATH)
@_DECIDE
def case(found: Certification) -> ResponseReturnValue:
    """The checklist with what was given."""
    return _page(found)


@certification_staff.post(f"{_PATH}/items/<item_key>/acceptance")
@_ITEM
def accept(item: ItemOf) -> ResponseReturnValue:
    """It is enough."""
    return _judge(item, accepts=True)


@certification_staff.post(f"{_PATH}/items/<item_key>/return")
@_ITEM
def return_item(item: ItemOf) -> ResponseReturnValue:
    """It is not."""
    return _judge(item, accepts=False)


@certification_staff.get(f"{_PATH}/items/<item_key>/file")
@_ITEM
def file(item: ItemOf) -> ResponseReturnValue:
    """A file that was given, as a download."""
    return file_of(item)


@certification_staff.post(f"{_PATH}/certification")
@_DECIDE
def certify(found: Certification) -> ResponseReturnValue:
    """Give it. What is in the way is said, with 409."""
    try:
        deciding.certify(found, by_user_id=current_actor().user_id)
    except ConflictError as error:
        return _page(found, problem=error.detail), 409
    flash("Certified. The partner is told.", "success")
    return _to(found)


@certification_staff.post(f"{_PATH}/return")
@_DECIDE
def send_back(found: Certification) -> ResponseReturnValue:
    """Ask for something better."""
    return _with_reason(found, "send_back")


@certification_staff.post(f"{_PATH}/refusal")
@_DECIDE
def refuse(found: Certification) -> ResponseReturnValue:
    """Refuse it."""
    return _with_reason(found, "refuse")


@certification_staff.get(f"{_PATH}/revocation")
@_DECIDE
def revoking(found: Certification) -> ResponseReturnValue:
    """Ask for the reason."""
    return _revocation_page(found, ReasonForm(formdata=None))


@certification_staff.post(f"{_PATH}/revocation")
@_DECIDE
def revoke(found: Certification) -> ResponseReturnValue:
    """Take it back."""
    form = ReasonForm()
    if not form.validate():
        return _revocation_page(found, form), 422
    try:
        deciding.revoke(found, reason=form.reason.data or "", by_user_id=current_actor().user_id)
    except InvalidError as error:
        show_errors(form, error)
        return _revocation_page(found, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(found)
    flash("Revoked. The partner is told.", "success")
    return _to(found)


def _judge(item: ItemOf, *, accepts: bool) -> ResponseReturnValue:
    found = item.certification
    form = RemarkForm(prefix=f"{item.key[:40]}-")
    if not form.validate():
        return _page(found, {item.key: form}), 422
    try:
        deciding.judge(
            found,
            item.key,
            accepts=accepts,
            remark=form.remark.data or "",
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(found, {item.key: form}), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(
        url_for(
            "certification_staff.case",
            certification_id=found.public_id,
            _anchor=f"item-{item.key}",
        ),
        code=303,
    )


def _with_reason(found: Certification, verb: str) -> ResponseReturnValue:
    form = ReasonForm()
    if not form.validate():
        return _page(found, reason=form), 422
    act = deciding.refuse if verb == "refuse" else deciding.send_back
    try:
        act(found, reason=form.reason.data or "", by_user_id=current_actor().user_id)
    except InvalidError as error:
        show_errors(form, error)
        return _page(found, reason=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(found)
    flash("Refused." if verb == "refuse" else "Sent back.", "success")
    return redirect(url_for("certification_staff.queue"), code=303)


def _page(
    found: Certification,
    forms: dict[str, RemarkForm] | None = None,
    reason: ReasonForm | None = None,
    problem: str = "",
) -> str:
    items = gathering.items_of(found)
    given = gathering.evidence_of(found)
    remarks = {
        item.key: (forms or {}).get(item.key)
        or RemarkForm(
            formdata=None,
            prefix=f"{item.key}-",
            data={"remark": given[item.key].remark if item.key in given else ""},
        )
        for item in items
    }
    checklist = found.checklist
    needed = checklist.pass_percent if checklist else 100
    return render_template(
        "certification/case.html",
        found=found,
        name=queries.names_of([found])[found.id],
        items=items,
        given=given,
        remarks=remarks,
        percent=percent_accepted(items, given),
        needed=needed,
        ways=in_the_way(items, given, needed),
        may_revoke=deciding.counts(found, clock.now()),
        people=people_by_id([found.decided_by_id, found.created_by_id]),
        form=reason or ReasonForm(formdata=None),
        problem=problem,
        texts=texts,
    )


def _revocation_page(found: Certification, form: ReasonForm) -> str:
    return render_template(
        "certification/revocation.html",
        found=found,
        name=queries.names_of([found])[found.id],
        form=form,
    )


def _to(found: Certification) -> ResponseReturnValue:
    return redirect(url_for("certification_staff.case", certification_id=found.public_id), code=303)
