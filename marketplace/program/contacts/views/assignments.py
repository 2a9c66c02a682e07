"""Staff say who is there for whom: assignments, regions, absences, the sponsors' quarter."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.forms import choices_of, show_errors
from marketplace.program.applications.words import line
from marketplace.program.contacts import queries, texts
from marketplace.program.contacts.forms import (
    AbsenceForm,
    AssignmentForm,
    ContactMadeForm,
    RegionForm,
    end_of_day,
)
from marketplace.program.contacts.models import ContactAssignment, ContactRegion, ContactRole
from marketplace.program.contacts.reading import overdue_contacts, staffing
from marketplace.program.contacts.services import assigning as services
from marketplace.program.contacts.services.assigning import Scope
from marketplace.program.contacts.views.blueprints import contacts_staff
from marketplace.program.contacts.views.inbox import number_of, people_choices

_ASSIGNMENT = "/staff/contacts/assignments/<assignment_id>"
_REGION = "/staff/contacts/regions/<region_id>"
_OF_ASSIGNMENT = needs("contacts.manage", load=queries.find_assignment, name="row")
_OF_REGION = needs("contacts.manage", load=queries.find_region, name="region")


@contacts_staff.get("/staff/contacts")
@needs("contacts.manage")
def index() -> ResponseReturnValue:
    """All assignments, by reach; who is away; what sponsors owe."""
    text = line(request.args.get("q"))[:80]
    page = queries.page_of_partner_assignments(text, page_number(request.args.get("page")))
    found = staffing()
    return render_template(
        "contacts/staff_index.html",
        general=queries.general_assignments(),
        page=page,
        text=text,
        organizations=queries.organizations_by_id(row.organization_id for row in page.items),
        regions={region.id: region for region in queries.regions()},
        countries=COUNTRIES,
        staff=found.staff,
        away=found.away,
        waiting=queries.open_counts(),
        overdue=overdue_contacts(most=50),
        texts=texts,
        roles=ContactRole,
    )


@contacts_staff.get("/staff/contacts/assignments/new")
@needs("contacts.manage")
def assignment_new() -> ResponseReturnValue:
    """The form of an assignment."""
    form = AssignmentForm(formdata=None)
    asked = request.args.get("role", "")
    form.role.data = asked if asked in set(ContactRole) else ContactRole.PARTNER_MANAGER.value
    form.reach.data = request.args.get("reach", "everybody")
    form.partner.data = line(request.args.get("partner"))[:200]
    return _form_page(form)


@contacts_staff.post("/staff/contacts/assignments/new")
@needs("contacts.manage")
def assignment_create() -> ResponseReturnValue:
    """Put somebody in charge, in the place of whoever was."""
    form = AssignmentForm()
    role, errors = form.chosen_role(), {}
    if role is None:
        errors["role"] = "Choose a role."
    scope, problem = _scope_of(form)
    errors |= problem
    if role is None or scope is None or errors:
        return _form_page(form, show_errors(form, InvalidError(errors))), 422
    try:
        services.assign(
            role,
            scope,
            number_of(form.user.data),
            backup_user_id=number_of(form.backup.data) or None,
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        return _form_page(form, show_errors(form, error)), 422
    flash("Assigned. What was open moved along, and the partners were told.", "success")
    return _back()


@contacts_staff.get(f"{_ASSIGNMENT}/removal")
@_OF_ASSIGNMENT
def assignment_removing(row: ContactAssignment) -> ResponseReturnValue:
    """Ask once more."""
    return render_template(
        "contacts/assignment_removal.html", row=row, person=staffing().staff.get(row.user_id)
    )


@contacts_staff.post(f"{_ASSIGNMENT}/removal")
@_OF_ASSIGNMENT
def assignment_remove(row: ContactAssignment) -> ResponseReturnValue:
    """Take it away."""
    services.unassign(row, by_user_id=current_actor().user_id)
    flash("Removed.", "success")
    return _back()


@contacts_staff.post(f"{_ASSIGNMENT}/contact")
@_OF_ASSIGNMENT
def assignment_contact(row: ContactAssignment) -> ResponseReturnValue:
    """Write down that the sponsor spoke with the partner."""
    form = ContactMadeForm()
    organization = queries.organizations_by_id([row.organization_id]).get(row.organization_id or 0)
    if organization is not None and form.validate():
        services.note_contact(organization, row.role, row.user_id, line(form.note.data))
        flash(f"Noted: {organization.name} was spoken with today.", "success")
    return _back()


@contacts_staff.get("/staff/contacts/absences")
@needs("contacts.manage")
def absences() -> ResponseReturnValue:
    """Who is away, and the form for it."""
    return _absence_page(AbsenceForm(formdata=None))


@contacts_staff.post("/staff/contacts/absences")
@needs("contacts.manage")
def absence_set() -> ResponseReturnValue:
    """Say until when somebody is away, or that they are back."""
    form = AbsenceForm()
    valid = form.validate()
    until = None if form.is_back.data else end_of_day(form.until.data)
    if valid and until is None and not form.is_back.data:
        form.until.errors = [*form.until.errors, "Choose a day, or say that they are back."]
        valid = False
    if not valid:
        return _absence_page(form), 422
    try:
        services.set_absence(number_of(form.person.data), until, by_user_id=current_actor().user_id)
    except InvalidError as error:
        return _absence_page(form, show_errors(form, error)), 422
    flash("Saved. What waits for them is with their backup." if until else "Saved.", "success")
    return redirect(url_for("contacts_staff.absences"), code=303)


@contacts_staff.get("/staff/contacts/regions")
@needs("contacts.manage")
def regions() -> ResponseReturnValue:
    """The regions."""
    found = queries.regions()
    covered = {code for region in found for code in region.codes}
    return render_template(
        "contacts/regions.html",
        regions=found,
        countries=COUNTRIES,
        uncovered=len(COUNTRIES) - len(covered & set(COUNTRIES)),
    )


@contacts_staff.get("/staff/contacts/regions/new")
@needs("contacts.manage")
def region_new() -> ResponseReturnValue:
    """The form of a region."""
    return _region_page(None, RegionForm(formdata=None))


@contacts_staff.post("/staff/contacts/regions/new")
@needs("contacts.manage")
def region_create() -> ResponseReturnValue:
    """Make a region."""
    return _save_region(None)


@contacts_staff.get(_REGION)
@_OF_REGION
def region_edit(region: ContactRegion) -> ResponseReturnValue:
    """The form to change a region."""
    form = RegionForm(formdata=None)
    form.name.data, form.countries.data = region.name, list(region.codes)
    return _region_page(region, form)


@contacts_staff.post(_REGION)
@_OF_REGION
def region_save(region: ContactRegion) -> ResponseReturnValue:
    """Change a region."""
    return _save_region(region)


@contacts_staff.get(f"{_REGION}/removal")
@_OF_REGION
def region_removing(region: ContactRegion) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("contacts/region_removal.html", region=region)


@contacts_staff.post(f"{_REGION}/removal")
@_OF_REGION
def region_remove(region: ContactRegion) -> ResponseReturnValue:
    """Remove it; its countries fall back to everybody's person."""
    services.remove_region(region, by_user_id=current_actor().user_id)
    flash("Removed.", "success")
    return redirect(url_for("contacts_staff.regions"), code=303)


def _save_region(region: ContactRegion | None) -> ResponseReturnValue:
    form = RegionForm()
    if not form.validate():
        return _region_page(region, form), 422
    try:
        services.save_region(
            region, line(form.name.data), form.codes(), by_user_id=current_actor().user_id
        )
    except InvalidError as error:
        return _region_page(region, form, show_errors(form, error)), 422
    flash("Saved.", "success")
    return redirect(url_for("contacts_staff.regions"), code=303)


def _scope_of(form: AssignmentForm) -> tuple[Scope | None, dict[str, str]]:
    reach = form.reach.data
    if reach == "everybody":
        return Scope(), {}
    if reach == "country":
        code = form.country.data or ""
        if code in COUNTRIES:
            return Scope(country=code), {}
        return None, {"country": "Choose a country."}
    if reach == "region":
        region = queries.find_region(line(form.region.data))
        return (Scope(region=region), {}) if region else (None, {"region": "Choose a region."})
    if reach == "partner":
        organization = queries.find_partner(form.partner.data or "")
        if organization is not None:
            return Scope(organization=organization), {}
        return None, {"partner": "No partner, or several, of that name."}
    return None, {"reach": "Choose one."}


def _form_page(form: AssignmentForm, extra: list[str] | None = None) -> str:
    form.user.choices = choices_of(people_choices("Choose one"))
    form.backup.choices = choices_of(people_choices("Nobody in particular"))
    form.region.choices = choices_of(
        [("", "Choose one"), *((each.public_id, each.name) for each in queries.regions())]
    )
    return render_template("contacts/assignment.html", form=form, extra=extra or [])


def _absence_page(form: AbsenceForm, extra: list[str] | None = None) -> str:
    form.person.choices = choices_of(people_choices("Choose one"))
    found = staffing()
    return render_template(
        "contacts/absences.html",
        form=form,
        extra=extra or [],
        away=sorted(
            (
                (found.staff[user_id].name, until)
                for user_id, until in found.away.items()
                if user_id in found.staff
            ),
        ),
        now=clock.now(),
    )


def _region_page(
    region: ContactRegion | None, form: RegionForm, extra: list[str] | None = None
) -> str:
    return render_template("contacts/region.html", region=region, form=form, extra=extra or [])


def _back() -> ResponseReturnValue:
    return redirect(url_for("contacts_staff.index"), code=303)
