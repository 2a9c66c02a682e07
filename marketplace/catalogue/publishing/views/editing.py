"""The editor: a page per section, autosave, and what happens when two people edit."""

from collections.abc import Mapping
from typing import Any

from flask import current_app, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.models import Listing, Revision
from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.differences import segments_of
from marketplace.catalogue.publishing.forms.acts import ScreenshotForm
from marketplace.catalogue.publishing.forms.sections import (
    SECTION_FORMS,
    BasicsForm,
    SectionForm,
)
from marketplace.catalogue.publishing.problems import checklist, entered_problems, problems_of
from marketplace.catalogue.publishing.sections import (
    BY_KEY,
    FIELD_LABELS,
    SECTION_OF,
    SECTIONS,
    Section,
    readable,
)
from marketplace.catalogue.publishing.sensitivity import SENSITIVE_FIELDS, changed_fields
from marketplace.catalogue.publishing.services import drafts
from marketplace.catalogue.publishing.services.submission import drift_of
from marketplace.catalogue.publishing.views.portal import blueprint, listing_tabs, own_listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import NotFoundError
from marketplace.core.images import MAX_UPLOAD_BYTES
from marketplace.core.permissions import current_actor, needs
from marketplace.core.unit_of_work import keep_writes

# What a form carries besides the answers; the page of a conflict sends the answers once more.
_MACHINERY = frozenset({"csrf_token", "seen", "version", "next", "add_row", "remove_row"})


@blueprint.get("/listings/<slug>/edit")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def edit(listing: Listing) -> ResponseReturnValue:
    """The editor begins with its first section."""
    return redirect(url_for("portal.edit_section", slug=listing.slug, section=SECTIONS[0].key))


@blueprint.get("/listings/<slug>/edit/<section>")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def edit_section(listing: Listing) -> ResponseReturnValue:
    """One section with what is stored and what is wrong with it."""
    section = _section()
    revision = queries.open_revision(listing.id)
    content = drafts.working_content(listing, revision)
    form = _filled(section, content, revision)
    form.show_problems(_problems(section, content))
    return _page(listing, section, form, revision, content)


@blueprint.post("/listings/<slug>/edit/<section>")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def save_section(listing: Listing) -> ResponseReturnValue:
    """Save a section; what is wrong is told, what was typed is kept."""
    section = _section()
    form = _posted(section)
    if "add_row" in request.form or "remove_row" in request.form:
        return _with_rows_changed(listing, section, form)
    return _save(listing, section, form, keep_theirs=frozenset())


@blueprint.post("/listings/<slug>/edit/<section>/resolution")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def resolve_conflict(listing: Listing) -> ResponseReturnValue:
    """Save a section after a conflict: each field as the person chose."""
    section = _section()
    theirs = frozenset(
        name for name in section.fields if request.form.get(f"keep-{name}") == "theirs"
    )
    return _save(listing, section, _posted(section), keep_theirs=theirs)


@blueprint.post("/listings/<slug>/edit/<section>/autosave")
@needs("listing.edit", load=own_listing, name="listing", hidden=False)
def autosave(listing: Listing) -> ResponseReturnValue:
    """Save a section in the background; the answer is JSON."""
    section = _section()
    form = _posted(section)
    slug = listing.slug
    try:
        revision, content = _store(listing, form, frozenset())
    except drafts.InReviewError as error:
        return jsonify(message=error.detail), 409
    except drafts.EditClashError:
        message = (
            "Somebody else changed this section. Press Save to see both texts and choose; "
            "nothing of yours is lost."
        )
        return jsonify(message=message, slug=slug), 409
    return jsonify(
        saved_at=clock.now().isoformat(timespec="seconds"),
        version=revision.lock_version if revision else 0,
        seen=drafts.fingerprint(content, form.FIELDS),
        problems=_problems(section, content),
    )


def section_page(
    listing: Listing, section: Section, *, problems: Mapping[str, str] | None = None, **extra: Any
) -> str:
    """A section's page as stored, with more `problems` at its fields."""
    revision = queries.open_revision(listing.id)
    content = drafts.working_content(listing, revision)
    form = _filled(section, content, revision)
    form.show_problems({**_problems(section, content), **(problems or {})})
    return _page(listing, section, form, revision, content, **extra)


def _save(
    listing: Listing, section: Section, form: SectionForm, *, keep_theirs: frozenset[str]
) -> ResponseReturnValue:
    listing_id, slug = listing.id, listing.slug
    try:
        revision, content = _store(listing, form, keep_theirs)
    except drafts.InReviewError as error:
        current = queries.open_revision(listing_id)
        stored = drafts.working_content(listing, current)
        page = _page(listing, section, form, current, stored, in_review=error.detail)
        return page, 409
    except drafts.EditClashError:
        # A clash at the database may have ended the transaction: read everything anew.
        db.session.rollback()
        again = queries.listing_by_slug(slug)
        if again is None:
            raise NotFoundError from None
        return _conflict(again, section, form), 409
    problems = _problems(section, content)
    if problems:
        keep_writes()
        fresh = _filled(section, content, revision)
        fresh.show_problems(problems)
        return _page(listing, section, fresh, revision, content, saved_with_problems=True), 422
    flash("Saved.", "success")
    following = _next_section(section)
    if request.form.get("next") and following is not None:
        return redirect(url_for("portal.edit_section", slug=slug, section=following.key), 303)
    if request.form.get("next"):
        return redirect(url_for("portal.listing", slug=slug), 303)
    return redirect(url_for("portal.edit_section", slug=slug, section=section.key), 303)


def _store(
    listing: Listing, form: SectionForm, keep_theirs: frozenset[str]
) -> tuple[Revision | None, dict[str, Any]]:
    stored = drafts.working_content(listing, queries.open_revision(listing.id))
    values = {name: value for name, value in form.typed(stored).items() if name not in keep_theirs}
    saved = drafts.save_fields(
        listing,
        values,
        fields=form.FIELDS,
        seen=form.seen.data or "",
        actor=current_actor(),
    )
    return saved.revision, drafts.working_content(listing, saved.revision)


def _conflict(listing: Listing, section: Section, form: SectionForm) -> str:
    revision = queries.open_revision(listing.id)
    stored = drafts.working_content(listing, revision)
    mine = form.typed(stored)
    fields = [
        {
            "name": name,
            "label": FIELD_LABELS[name],
            "mine": readable(name, mine[name]),
            "theirs": readable(name, stored.get(name)),
            "segments": segments_of(readable(name, stored.get(name)), readable(name, mine[name])),
        }
        for name in form.FIELDS
        if name in changed_fields(stored, mine)
    ]
    answers = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in _MACHINERY and not name.startswith("keep-")
    ]
    return render_template(
        "portal/conflict.html",
        listing=listing,
        section=section,
        fields=fields,
        answers=answers,
        seen=drafts.fingerprint(stored, form.FIELDS),
        revision=revision,
        tabs=listing_tabs(listing, "portal.edit"),
    )


def _with_rows_changed(
    listing: Listing, section: Section, form: SectionForm
) -> ResponseReturnValue:
    name = request.form.get("add_row", "")
    row = request.form.get("remove_row", "")
    changed = form.with_row(name) if name else form.without_row(row)
    if isinstance(changed, BasicsForm):
        changed.offer_categories(_category_pairs())
    revision = queries.open_revision(listing.id)
    content = drafts.working_content(listing, revision)
    return _page(listing, section, changed, revision, content, unsaved=True)


def _page(
    listing: Listing,
    section: Section,
    form: SectionForm,
    revision: Revision | None,
    content: dict[str, Any],
    **extra: Any,
) -> str:
    if isinstance(form, BasicsForm) and form.main_category.choices is None:
        form.offer_categories(_category_pairs())
    items = checklist(content)
    open_items = {
        key.key: sum(1 for i in items if i.required and not i.done and i.section.key == key.key)
        for key in SECTIONS
    }
    number = SECTIONS.index(section)
    drift = drift_of(listing, revision) if revision is not None else None
    context: dict[str, Any] = {
        "screenshot_form": ScreenshotForm(formdata=None),
        **extra,
    }
    return render_template(
        f"portal/edit_{section.key}.html",
        listing=listing,
        section=section,
        sections=SECTIONS,
        open_items=open_items,
        number=number + 1,
        next_section=_next_section(section),
        form=form,
        revision=revision,
        content=content,
        drift=drift if drift is not None and drift.is_needed else None,
        sensitive=[FIELD_LABELS[name] for name in section.fields if name in SENSITIVE_FIELDS],
        locked=revision is not None and not revision.is_editable,
        tabs=listing_tabs(listing, "portal.edit"),
        max_bytes=MAX_UPLOAD_BYTES,
        field_labels=FIELD_LABELS,
        notes=_review_notes(revision, section),
        **context,
    )


def _review_notes(revision: Revision | None, section: Section) -> list[tuple[str, str]]:
    """What the reviewer asked for at this section's fields, as (label, note)."""
    if revision is None or revision.state != "changes_requested":
        return []
    asked = [event for event in revision.events if event.kind == "changes_requested"]
    if not asked:
        return []
    return [
        (FIELD_LABELS.get(name, name), str(note))
        for name, note in asked[-1].field_notes.items()
        if SECTION_OF.get(name) is section
    ]


def _filled(section: Section, content: dict[str, Any], revision: Revision | None) -> SectionForm:
    form_class = SECTION_FORMS[section.key]
    return form_class.filled(
        content,
        seen=drafts.fingerprint(content, form_class.FIELDS),
        version=revision.lock_version if revision is not None else 0,
    )


def _posted(section: Section) -> SectionForm:
    form = SECTION_FORMS[section.key]()
    if isinstance(form, BasicsForm):
        form.offer_categories(_category_pairs())
    return form


def _problems(section: Section, content: dict[str, Any]) -> dict[str, str]:
    problems = problems_of(section, entered_problems(content))
    if "categories" in section.fields and "categories" not in problems:
        known = {slug for slug, _name in _category_pairs()}
        if not known.issuperset(content.get("categories") or ()):
            problems["categories"] = "Choose a category from the list."
    return problems


def _category_pairs() -> list[tuple[str, str]]:
    return [(row.slug, row.name) for row in queries.categories()]


def _section() -> Section:
    """The section that the address names. Raises NotFoundError."""
    section = BY_KEY.get(str((request.view_args or {}).get("section", "")))
    if section is None:
        raise NotFoundError
    return section


def _next_section(section: Section) -> Section | None:
    number = SECTIONS.index(section) + 1
    return SECTIONS[number] if number < len(SECTIONS) else None


def storage() -> Any:
    """The application's file storage."""
    return current_app.extensions["portico_storage"]
