"""Staff: the words of scopes, and erasures that nobody confirms."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.installs.customer.forms import ScopeForm
from marketplace.installs.customer.queries import erasures as erasure_queries
from marketplace.installs.customer.queries import scopes as queries
from marketplace.installs.customer.services import erasures as erasure_services
from marketplace.installs.customer.services import scopes as services
from marketplace.installs.customer.views.blueprints import installs_staff
from marketplace.installs.customer.views.form_errors import show_errors
from marketplace.installs.models import ErasureRequest, Scope, ScopeDirection

SHOWN = {"overdue": "Overdue", "open": "All open", "done": "Confirmed"}


@installs_staff.get("/erasures")
@needs("erasures.watch")
def erasures() -> ResponseReturnValue:
    """What partners must erase; what is overdue first."""
    shown = request.args.get("show", "overdue")
    shown = shown if shown in SHOWN else "overdue"
    return render_template(
        "installs/staff_erasures.html",
        page=erasure_queries.page_of_all(shown, page_number(request.args.get("page"))),
        shown=shown,
        labels=SHOWN,
        counts=erasure_queries.counts(),
    )


@installs_staff.post("/erasures/<erasure_id>/reminder")
@needs("erasure.remind", load=erasure_queries.find_erasure, name="erasure")
def remind(erasure: ErasureRequest) -> ResponseReturnValue:
    """Mail the publisher once more, before or after it is due."""
    try:
        erasure_services.remind_now(current_actor(), erasure)
        flash(f"{erasure.app.publisher.name} is reminded.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    shown = "open" if erasure.due_at > clock.now() else "overdue"
    return redirect(url_for("installs_staff.erasures", show=shown), code=303)


@installs_staff.get("/scopes")
@needs("scopes.manage")
def scopes() -> ResponseReturnValue:
    """The scopes in words, who asks for them, and those without words."""
    described = queries.described_scopes()
    asked = queries.listings_by_scope()
    return render_template(
        "installs/staff_scopes.html",
        scopes=described,
        asked=asked,
        undescribed=queries.undescribed(asked, described),
    )


@installs_staff.get("/scopes/new")
@needs("scopes.manage")
def new_scope() -> ResponseReturnValue:
    """The form; `?name=` fills in the name."""
    name = request.args.get("name", "")[: services.MAX_NAME]
    form = ScopeForm(formdata=None, data={"name": name, "direction": ScopeDirection.READ.value})
    return _form_page(form, None)


@installs_staff.post("/scopes")
@needs("scopes.manage")
def add_scope() -> ResponseReturnValue:
    """Describe a scope."""
    form = ScopeForm()
    try:
        services.add_scope(current_actor(), form.name.data or "", _words(form))
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form, None), 422
    flash("Saved. Consent pages use these words from now on.", "success")
    return redirect(url_for("installs_staff.scopes"), code=303)


@installs_staff.get("/scopes/<scope_name>")
@needs("scopes.manage", load=queries.find_scope, name="scope")
def edit_scope(scope: Scope) -> ResponseReturnValue:
    """The form with the words of now."""
    form = ScopeForm(formdata=None, obj=scope)
    form.direction.data = scope.direction.value
    return _form_page(form, scope)


@installs_staff.post("/scopes/<scope_name>")
@needs("scopes.manage", load=queries.find_scope, name="scope")
def change_scope(scope: Scope) -> ResponseReturnValue:
    """Save other words."""
    form = ScopeForm()
    try:
        services.change_scope(current_actor(), scope, _words(form))
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form, scope), 422
    flash("Saved. Consent pages use these words from now on.", "success")
    return redirect(url_for("installs_staff.scopes"), code=303)


@installs_staff.get("/scopes/<scope_name>/deletion")
@needs("scopes.manage", load=queries.find_scope, name="scope")
def scope_deletion(scope: Scope) -> ResponseReturnValue:
    """Ask before the words go."""
    return render_template(
        "installs/staff_scope_deletion.html", scope=scope, users=queries.who_asks(scope.name)
    )


@installs_staff.post("/scopes/<scope_name>/deletion")
@needs("scopes.manage", load=queries.find_scope, name="scope")
def delete_scope(scope: Scope) -> ResponseReturnValue:
    """Delete the words of a scope that nobody uses."""
    try:
        services.delete_scope(current_actor(), scope)
        flash("Deleted.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("installs_staff.scopes"), code=303)


def _words(form: ScopeForm) -> services.ScopeWords:
    return services.ScopeWords(
        title=form.title.data or "",
        description=form.description.data or "",
        direction=form.direction.data or "",
        is_sensitive=bool(form.is_sensitive.data),
    )


def _form_page(form: ScopeForm, scope: Scope | None) -> str:
    return render_template(
        "installs/staff_scope_form.html",
        form=form,
        scope=scope,
        users=queries.who_asks(scope.name) if scope is not None else None,
        limits=services,
    )
