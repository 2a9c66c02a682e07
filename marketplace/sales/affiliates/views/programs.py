"""Programs, for the publisher and for the platform's staff: the same pages at two places."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.affiliates import programs as services
from billing.models import Affiliate, AffiliateProgram, AffiliateState
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.sales.affiliates import texts
from marketplace.sales.affiliates.forms import (
    EmptyForm,
    NewProgramForm,
    NewRuleForm,
    ProgramForm,
    fill_program,
    fill_rule,
)
from marketplace.sales.affiliates.queries import programs as queries
from marketplace.sales.affiliates.queries.figures import (
    course_of,
    figures_by_affiliate,
    figures_by_program,
)
from marketplace.sales.affiliates.queries.people import organizations_by_id
from marketplace.sales.affiliates.views.blueprints import affiliates, affiliates_staff
from marketplace.sales.form_errors import show_errors

View = Callable[..., ResponseReturnValue]
_PARTNER, _STAFF = "/partner/affiliate-programs", "/affiliates"
_STATES = (
    ("", "All"),
    (AffiliateState.PENDING.value, "Waiting"),
    (AffiliateState.ACTIVE.value, "Active"),
    (AffiliateState.SUSPENDED.value, "Suspended"),
)


def mount(
    path: str,
    view: View,
    *methods: str,
    action: str = "affiliate_program.manage",
    load: Callable[..., Any] | None = queries.find_program,
    staff_load: Callable[..., Any] | None = queries.find_platform_program,
    name: str = "program",
) -> None:
    """Mount a view for publishers and for the staff, each with its own permission."""
    options: dict[str, Any] = {} if load is None else {"load": load, "name": name}
    affiliates.add_url_rule(
        _PARTNER + path, view.__name__, needs(action, **options)(view), methods=list(methods)
    )
    options = {} if staff_load is None else {"load": staff_load, "name": name}
    affiliates_staff.add_url_rule(
        _STAFF + path,
        view.__name__,
        needs("platform_programs.manage", **options)(view),
        methods=list(methods),
    )


def is_staff_desk() -> bool:
    """Whether this request is about the platform's own programs."""
    return request.blueprint == affiliates_staff.name


def desk() -> dict[str, Any]:
    """What the templates need to serve at both places."""
    staff = is_staff_desk()
    return {
        "layout": "layouts/staff.html" if staff else "layouts/portal.html",
        "is_staff_desk": staff,
        "texts": texts,
    }


def _owner_id() -> int | None:
    return None if is_staff_desk() else current_actor().organization_id


def programs() -> ResponseReturnValue:
    """The owner's programs with their figures."""
    found = queries.programs_of(_owner_id())
    ids = [program.id for program in found]
    return render_template(
        "affiliates/programs.html",
        **desk(),
        programs=found,
        figures=figures_by_program(ids),
        states=queries.counts_by_state(ids),
        listings=queries.listings_by_id([program.listing_id for program in found]),
    )


def program_new() -> ResponseReturnValue:
    """The form for a new program."""
    return _new_page(NewProgramForm(formdata=None))


def program_create() -> ResponseReturnValue:
    """Start a program."""
    form = NewProgramForm()
    if "add_row" in request.form or "remove_row" in request.form:
        form.change_rows("add_row" in request.form, request.form.get("remove_row", ""))
        return _new_page(form)
    chosen = {str(row.id): row.id for row in queries.listings_of(_owner_id())}
    listing = form.listing.data or ""
    if not form.validate() or (listing and listing not in chosen):
        if listing and listing not in chosen:
            form.listing.errors = [*form.listing.errors, "Choose one of the list."]
        return _new_page(form), 422
    try:
        program = services.create_program(
            _owner_id(),
            form.terms(chosen.get(listing)),
            form.rule_terms(),
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _new_page(form), 422
    flash("The program runs. Partners find it among the programs to join.", "success")
    return redirect(url_for(".program", program_id=program.public_id), code=303)


def program(program: AffiliateProgram) -> ResponseReturnValue:
    """One program: how it does, its affiliates, its rules."""
    chosen = request.args.get("state", "")
    state = AffiliateState(chosen) if chosen in {value for value, _ in _STATES if value} else None
    page = queries.page_of_affiliates(program.id, state, page_number(request.args.get("page")))
    counts = queries.counts_by_state([program.id])[program.id]
    return render_template(
        "affiliates/program.html",
        **desk(),
        program=program,
        page=page,
        shown=chosen if state else "",
        states=_STATES,
        counts=counts,
        total=figures_by_program([program.id])[program.id],
        figures=figures_by_affiliate([row.id for row in page.items]),
        organizations=organizations_by_id([row.organization_id for row in page.items]),
        course=course_of(Affiliate.program_id == program.id),
        listing=queries.listings_by_id([program.listing_id]).get(program.listing_id or 0),
        rule=texts.current_rule(program),
        coming=texts.coming_rules(program),
    )


def program_edit(program: AffiliateProgram) -> ResponseReturnValue:
    """The form for what is no rule of payment."""
    form = ProgramForm(formdata=None)
    fill_program(form, program)
    return _edit_page(program, form)


def program_save(program: AffiliateProgram) -> ResponseReturnValue:
    """Change it."""
    form = ProgramForm()
    if not form.validate():
        return _edit_page(program, form), 422
    try:
        services.edit_program(
            program, form.terms(program.listing_id), by_user_id=current_actor().user_id
        )
    except InvalidError as error:
        show_errors(form, error)
        return _edit_page(program, form), 422
    flash("Saved.", "success")
    return _back(program)


def rule_new(program: AffiliateProgram) -> ResponseReturnValue:
    """The form for another version of what is paid."""
    form = NewRuleForm(formdata=None)
    rule = texts.current_rule(program)
    if rule is not None:
        fill_rule(form, rule)
    return _rule_page(program, form)


def rule_publish(program: AffiliateProgram) -> ResponseReturnValue:
    """Publish it; what is ordered from then on earns by it."""
    form = NewRuleForm()
    if "add_row" in request.form or "remove_row" in request.form:
        form.change_rows("add_row" in request.form, request.form.get("remove_row", ""))
        return _rule_page(program, form)
    if not form.validate():
        return _rule_page(program, form), 422
    try:
        rule = services.publish_rule(
            program,
            form.rule_terms(),
            effective_from=form.starts_at(),
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _rule_page(program, form), 422
    flash(f"Version {rule.version} is published.", "success")
    return _back(program)


def program_pause(program: AffiliateProgram) -> ResponseReturnValue:
    """Take no new clicks for now."""
    return _switch(program, services.pause_program, "It is paused: new clicks bring nobody.")


def program_resume(program: AffiliateProgram) -> ResponseReturnValue:
    """Go on."""
    return _switch(program, services.resume_program, "It goes on.")


def program_closing(program: AffiliateProgram) -> ResponseReturnValue:
    """Say what closing means."""
    return render_template(
        "affiliates/program_closing.html", **desk(), program=program, form=EmptyForm()
    )


def program_close(program: AffiliateProgram) -> ResponseReturnValue:
    """Close it for good."""
    return _switch(program, services.close_program, "It is closed.")


def _switch(program: AffiliateProgram, act: Callable[..., bool], done: str) -> ResponseReturnValue:
    try:
        if act(program, by_user_id=current_actor().user_id):
            flash(done, "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _back(program)


def _back(program: AffiliateProgram) -> ResponseReturnValue:
    return redirect(url_for(".program", program_id=program.public_id), code=303)


def _new_page(form: NewProgramForm) -> str:
    every = "All listings of the marketplace" if is_staff_desk() else "All your listings"
    form.listing.choices = choices_of(
        [("", every), *((str(row.id), row.name) for row in queries.listings_of(_owner_id()))]
    )
    return render_template("affiliates/program_new.html", **desk(), form=form)


def _edit_page(program: AffiliateProgram, form: ProgramForm) -> str:
    return render_template("affiliates/program_edit.html", **desk(), program=program, form=form)


def _rule_page(program: AffiliateProgram, form: NewRuleForm) -> str:
    return render_template(
        "affiliates/rule_new.html",
        **desk(),
        program=program,
        form=form,
        rule=texts.current_rule(program),
        coming=texts.coming_rules(program),
    )


mount("", programs, "GET", action="affiliate_programs.use", load=None, staff_load=None)
mount("/new", program_new, "GET", action="affiliate_programs.use", load=None, staff_load=None)
mount("/new", program_create, "POST", action="affiliate_programs.use", load=None, staff_load=None)
mount("/<program_id>", program, "GET")
mount("/<program_id>/settings", program_edit, "GET")
mount("/<program_id>/settings", program_save, "POST")
mount("/<program_id>/rule", rule_new, "GET")
mount("/<program_id>/rule", rule_publish, "POST")
mount("/<program_id>/pause", program_pause, "POST")
mount("/<program_id>/resume", program_resume, "POST")
mount("/<program_id>/closing", program_closing, "GET")
mount("/<program_id>/closing", program_close, "POST")
