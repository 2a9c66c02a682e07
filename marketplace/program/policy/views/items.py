"""What the lists of a draft hold: adding, writing anew, moving, removing."""

from copy import deepcopy
from typing import NamedTuple

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import ConflictError, NotFoundError
from marketplace.core.permissions import can, current_actor, needs
from marketplace.program.policy import editing, lists, queries
from marketplace.program.policy.difference import differences, grouped
from marketplace.program.policy.document import Policy
from marketplace.program.policy.documents import DocumentError, Problem, read_policy
from marketplace.program.policy.editing import NoSuchPartError
from marketplace.program.policy.forms import EditionForm
from marketplace.program.policy.item_form import ItemForm
from marketplace.program.policy.item_forms import form_for
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.policy.references import Reference, references
from marketplace.program.policy.removals import Removal, removals
from marketplace.program.policy.services import drafting
from marketplace.program.policy.tier_forms import TierForm
from marketplace.program.policy.type_forms import QuestionForm
from marketplace.program.policy.views.blueprints import policy_staff
from marketplace.program.policy.views.drafts import to_version
from marketplace.program.policy.views.versions import PATH, policy_in
from marketplace.program.policy.words import INNER_PARTS

_PART = f"{PATH}/parts/<policy_part>"
_ITEM = f"{_PART}/items/<policy_item>"


class Place(NamedTuple):
    """A list of a version, and an item of it (empty: a new one)."""

    version: PolicyVersion
    path: str
    key: str
    policy: Policy

    @property
    def kind(self) -> str:
        """What the list holds."""
        return editing.list_kind(self.path)


def _place(policy_id: str, policy_part: str, policy_item: str = "") -> Place | None:
    version = queries.find_version(policy_id)
    if version is None:
        return None
    policy = policy_in(version)
    document = deepcopy(version.document)
    try:
        editing.items_of(document, policy_part)
        if policy_item:
            editing.find(document, policy_part, policy_item)
    except NoSuchPartError as error:
        raise NotFoundError from error
    return Place(version, policy_part, policy_item, policy)


_READ = needs("policy.read", load=_place, name="place")
_EDIT = needs("policy.edit", load=_place, name="place")


@policy_staff.get(f"{_PART}/new")
@_EDIT
def item_new(place: Place) -> ResponseReturnValue:
    """The form for a new item."""
    form = _form(place, formdata=None)
    form.edition.data = place.version.edition
    return _page(place, form)


@policy_staff.post(f"{_PART}/new")
@_EDIT
def item_add(place: Place) -> ResponseReturnValue:
    """Add an item at the end of the list."""
    return _save(place)


@policy_staff.get(_ITEM)
@_READ
def item(place: Place) -> ResponseReturnValue:
    """The form of an item of a draft; what a published version says of it."""
    found = next(each for each in lists.items_at(place.policy, place.path) if each.key == place.key)
    is_draft = place.version.state is PolicyState.DRAFT
    if not is_draft or not can(current_actor(), "policy.edit"):
        return render_template(
            "program_policy/item_read.html",
            place=place,
            name=lists.name_in(found),
            facts=lists.facts_of(place.policy, found),
            title=lists.title_of(place.policy, place.path),
            inner_parts=_inner(place, found),
        )
    form = _form(place, formdata=None)
    form.show(found, place.policy)
    form.edition.data = place.version.edition
    return _page(place, form)


@policy_staff.post(_ITEM)
@_EDIT
def item_save(place: Place) -> ResponseReturnValue:
    """Write an item anew."""
    return _save(place)


@policy_staff.post(f"{_ITEM}/move")
@_EDIT
def item_move(place: Place) -> ResponseReturnValue:
    """Move an item up or down."""
    form = EditionForm()
    by = -1 if request.form.get("to") == "up" else 1
    document = editing.move(place.version.document, place.path, place.key, by=by)
    try:
        drafting.save(
            place.version, document, edition=form.seen(), by_user_id=current_actor().user_id
        )
    except DocumentError as error:
        flash(str(error.problems[0]), "warning")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to_part(place)


@policy_staff.get(f"{_ITEM}/remove")
@_EDIT
def item_removing(place: Place) -> ResponseReturnValue:
    """Say what goes with an item."""
    document = editing.remove(place.version.document, place.path, place.key)
    problems: list[Problem] = []
    changes = {}
    gone: list[Removal] = []
    spoken_of: list[Reference] = []
    try:
        after = read_policy(document)
        changes = grouped(differences(place.policy, after))
        live = queries.version_in_force()
        # Of what goes now alone: the publication says the rest.
        gone = [
            each
            for each in removals(policy_in(live) if live else None, after)
            if (each.part, each.key) == (place.path, place.key)
        ]
        spoken_of = references(place.policy, after)
    except DocumentError as error:
        problems = error.problems
    found = next(each for each in lists.items_at(place.policy, place.path) if each.key == place.key)
    return render_template(
        "program_policy/item_remove.html",
        place=place,
        name=lists.name_in(found),
        groups=changes,
        gone=gone,
        spoken_of=spoken_of,
        problems=problems,
        title=lists.title_of(place.policy, place.path),
    )


@policy_staff.post(f"{_ITEM}/remove")
@_EDIT
def item_remove(place: Place) -> ResponseReturnValue:
    """Remove an item, and what speaks of it."""
    form = EditionForm()
    document = editing.remove(place.version.document, place.path, place.key)
    try:
        drafting.save(
            place.version, document, edition=form.seen(), by_user_id=current_actor().user_id
        )
        flash("Removed.", "success")
    except DocumentError as error:
        flash(str(error.problems[0]), "warning")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to_part(place)


def _save(place: Place) -> ResponseReturnValue:
    form = _form(place)
    if "add_row" in request.form or "remove_row" in request.form:
        form.change_rows(request.form.get("add_row", ""), request.form.get("remove_row", ""))
        return _page(place, form)
    values, problems = form.values(place.policy)
    document = place.version.document
    if not place.key:
        values["key"] = form.key_for(editing.keys_in(deepcopy(document), place.path))
    changed, index = editing.put(document, place.path, values, key=place.key or None)
    where = (*editing.place_of_list(changed, place.path), index)
    try:
        if problems:
            raise DocumentError([Problem((*where, *each.place), each.text) for each in problems])
        drafting.save(
            place.version, changed, edition=form.seen(), by_user_id=current_actor().user_id
        )
    except DocumentError as error:
        form.show_problems(_within(where, error.problems))
        return _page(place, form), 422
    except ConflictError as error:
        if place.version.state is not PolicyState.DRAFT:
            flash(error.detail, "warning")
            return to_version(place.version)
        form.form_errors.append(error.detail)
        form.edition.data = place.version.edition
        return _page(place, form), 409
    flash("Saved.", "success")
    return _to_part(place)


def _within(where: tuple[str | int, ...], problems: list[Problem]) -> list[Problem]:
    """Problems of the item at `where` with their place within it; others stay whole."""
    size = len(where)
    return [
        Problem(each.place[size:], each.text) if each.place[:size] == where else each
        for each in problems
    ]


def _form(place: Place, **options: None) -> ItemForm:
    form = form_for(place.kind, place.policy, **options)
    if isinstance(form, QuestionForm):
        others = lists.items_at(place.policy, place.path)
        form.offer([(each.key, each.label) for each in others if each.key != place.key])
    return form


def _page(place: Place, form: ItemForm) -> str:
    if isinstance(form, TierForm):
        form.show_rows(place.policy)
    found = next(
        (each for each in lists.items_at(place.policy, place.path) if each.key == place.key), None
    )
    return render_template(
        "program_policy/item.html",
        place=place,
        form=form,
        name=lists.name_in(found) if found else "",
        title=lists.title_of(place.policy, place.path),
        singular=lists.SINGULAR[place.kind],
        inner_parts=_inner(place, found) if found else {},
    )


def _inner(place: Place, found: object) -> dict[str, tuple[str, int]]:
    """The lists within a type, with how much they hold."""
    if place.kind != "types":
        return {}
    return {
        f"types.{place.key}.{name}": (label, len(getattr(found, name)))
        for name, label in INNER_PARTS.items()
    }


def _to_part(place: Place) -> ResponseReturnValue:
    return redirect(
        url_for("policy_staff.part", policy_id=place.version.public_id, policy_part=place.path),
        code=303,
    )
