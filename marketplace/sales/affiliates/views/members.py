"""One affiliate, as the owner of the program sees it and decides about it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.affiliates import joining, links
from billing.models import Affiliate
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor
from marketplace.identity.forms import choices_of
from marketplace.sales.affiliates.forms import CodeForm, NoteForm
from marketplace.sales.affiliates.mails import tell_decided
from marketplace.sales.affiliates.queries import programs as queries
from marketplace.sales.affiliates.queries.figures import course_of, figures_by_affiliate
from marketplace.sales.affiliates.queries.own import links_of
from marketplace.sales.affiliates.queries.people import organizations_by_id
from marketplace.sales.affiliates.views.programs import View, desk, mount
from marketplace.sales.form_errors import fields_hold, show_errors
from marketplace.sales.plans.forms import day_begins

_PATH = "/<program_id>/affiliates/<affiliate_id>"


def affiliate(affiliate: Affiliate) -> ResponseReturnValue:
    """What it brought, and what to decide."""
    return _page(affiliate, CodeForm(formdata=None), NoteForm(formdata=None))


def affiliate_accept(affiliate: Affiliate) -> ResponseReturnValue:
    """Take it as an affiliate."""
    if joining.decide(affiliate, accept=True, note="", by_user_id=current_actor().user_id):
        tell_decided(affiliate)
        flash("Accepted. It is told by mail.", "success")
    return _back(affiliate)


def affiliate_reject(affiliate: Affiliate) -> ResponseReturnValue:
    """Reject it with a reason."""
    form = NoteForm()
    try:
        if joining.decide(
            affiliate,
            accept=False,
            note=form.note.data or "",
            by_user_id=current_actor().user_id,
        ):
            tell_decided(affiliate)
            flash("Rejected. It is told by mail.", "success")
    except InvalidError as error:
        show_errors(form, error)
        return _page(affiliate, CodeForm(formdata=None), form), 422
    return _back(affiliate)


def affiliate_suspension(affiliate: Affiliate) -> ResponseReturnValue:
    """Say what a suspension means, and ask why."""
    return _suspension_page(affiliate, NoteForm(formdata=None))


def affiliate_suspend(affiliate: Affiliate) -> ResponseReturnValue:
    """Suspend it."""
    form = NoteForm()
    try:
        if joining.suspend(
            affiliate, note=form.note.data or "", by_user_id=current_actor().user_id
        ):
            tell_decided(affiliate)
            flash("Suspended. It is told by mail.", "success")
    except InvalidError as error:
        show_errors(form, error)
        return _suspension_page(affiliate, form), 422
    return _back(affiliate)


def affiliate_reinstate(affiliate: Affiliate) -> ResponseReturnValue:
    """Let it go on."""
    if joining.reinstate(affiliate, by_user_id=current_actor().user_id):
        tell_decided(affiliate)
        flash("It is active again.", "success")
    return _back(affiliate)


def affiliate_code(affiliate: Affiliate) -> ResponseReturnValue:
    """Give it a promotion code."""
    form = CodeForm()
    discounts = {
        str(row.id): row for row in queries.discounts_for_codes(affiliate.program.publisher_id)
    }
    discount = discounts.get(form.discount.data or "")
    try:
        if not fields_hold(form):
            raise InvalidError({})
        if discount is None:
            raise InvalidError({"discount": "Choose a discount."})
        code = links.give_code(
            affiliate,
            discount,
            form.code.data or "",
            expires_at=day_begins(form.expires_at.data),
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(affiliate, form, NoteForm(formdata=None)), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _back(affiliate)
    flash(f"{code.code} is credited to this affiliate.", "success")
    return _back(affiliate)


def _page(affiliate: Affiliate, code_form: CodeForm, note_form: NoteForm) -> str:
    discounts = queries.discounts_for_codes(affiliate.program.publisher_id)
    code_form.discount.choices = choices_of((str(row.id), row.name) for row in discounts)
    return render_template(
        "affiliates/affiliate.html",
        **desk(),
        affiliate=affiliate,
        program=affiliate.program,
        organization=organizations_by_id([affiliate.organization_id])[affiliate.organization_id],
        total=figures_by_affiliate([affiliate.id])[affiliate.id],
        course=course_of(Affiliate.id == affiliate.id),
        links=links_of(affiliate.id),
        codes=queries.codes_of(affiliate.id),
        sales=queries.page_of_sales(affiliate.id, page_number(request.args.get("page"))),
        held=queries.held_customers(affiliate.id),
        code_form=code_form,
        note_form=note_form,
        has_discounts=bool(discounts),
    )


def _suspension_page(affiliate: Affiliate, form: NoteForm) -> str:
    return render_template(
        "affiliates/affiliate_suspension.html",
        **desk(),
        affiliate=affiliate,
        program=affiliate.program,
        organization=organizations_by_id([affiliate.organization_id])[affiliate.organization_id],
        form=form,
    )


def _back(affiliate: Affiliate) -> ResponseReturnValue:
    return redirect(
        url_for(
            ".affiliate",
            program_id=affiliate.program.public_id,
            affiliate_id=affiliate.public_id,
        ),
        code=303,
    )


def _mount(path: str, view: View, method: str) -> None:
    mount(
        _PATH + path,
        view,
        method,
        action="affiliate.decide",
        load=queries.find_affiliate,
        staff_load=queries.find_platform_affiliate,
        name="affiliate",
    )


_mount("", affiliate, "GET")
_mount("/accept", affiliate_accept, "POST")
_mount("/reject", affiliate_reject, "POST")
_mount("/suspension", affiliate_suspension, "GET")
_mount("/suspension", affiliate_suspend, "POST")
_mount("/reinstate", affiliate_reinstate, "POST")
_mount("/codes", affiliate_code, "POST")
