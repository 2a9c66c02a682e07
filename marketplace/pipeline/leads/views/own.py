"""A partner's leads: the list, the board, one of them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.content import clean_text
from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.pipeline.leads import queries, texts
from marketplace.pipeline.leads.fields import MOST
from marketplace.pipeline.leads.forms import LeadForm, NoteForm, StageForm, TaskForm
from marketplace.pipeline.leads.models import Lead, LeadStage, LeadTask
from marketplace.pipeline.leads.progress import registered_by, requirements_of
from marketplace.pipeline.leads.queries import LeadFilter
from marketplace.pipeline.leads.services import reviewing, working
from marketplace.pipeline.leads.services.capturing import register
from marketplace.pipeline.leads.views.blueprints import leads
from marketplace.program.standing.reading import place_of
from marketplace.sales.form_errors import show_errors

NO_LISTING = "No listing has this address or name."
_PATH = "/partner/leads/<lead_id>"
_WORK = needs("lead.work", load=queries.find_lead, name="lead")


def own_id() -> int:
    """The partner that the person acts for."""
    return current_actor().organization_id or 0


def asked_filter() -> LeadFilter:
    """What the address asks for."""
    return LeadFilter(
        text=" ".join(clean_text(request.args.get("q", "")[:320]).split())[:80],
        stage=request.args.get("stage", ""),
        source=request.args.get("source", ""),
        show=request.args.get("show", ""),
        country=request.args.get("country", "").upper()[:2],
    )


def by_person() -> str:
    """Limits count a person wherever they are."""
    return f"user:{current_actor().user_id}"


@leads.get("/partner/leads")
@needs("leads.use")
def index() -> ResponseReturnValue:
    """What waits for an answer, how far one is, and the leads as a table or a board."""
    own = own_id()
    asked = asked_filter()
    as_board = request.args.get("view") == "board"
    page = None if as_board else queries.page_of_own(
        own, asked, page_number(request.args.get("page"))
    )  # fmt: skip
    board = queries.board_of(own, asked) if as_board else {}
    shown = page.items if page else [row for rows in board.values() for row in rows]
    return render_template(
        "leads/index.html",
        offers=queries.open_offers(own),
        page=page,
        board=board,
        as_board=as_board,
        asked=asked,
        counts=queries.stage_counts(own),
        listings=queries.listings_of([row.listing_id for row in shown]),
        requirements=requirements_of(own, place_of(own)),
        registered=registered_by(own),
        most_cards=queries.BOARD_CARDS,
        stages=list(LeadStage),
        texts=texts,
        here=request.full_path,
    )


@leads.get("/partner/leads/leads.csv")
@needs("leads.use")
def export() -> ResponseReturnValue:
    """The leads that the list shows, as a file."""
    rows = db.session.scalars(queries.own_leads(own_id(), asked_filter()).limit(10_000)).all()
    listings = queries.listings_of([row.listing_id for row in rows])
    return csv_response(
        "leads.csv",
        (
            "number", "name", "email", "company", "phone", "website", "country", "postal_code",
            "need", "budget", "time_frame", "product", "source", "stage", "lost_reason",
            "qualified", "duplicate", "accepted_at",
        ),
        (
            (
                row.public_id, row.name, row.email, row.company, row.phone, row.website,
                row.country, row.postal_code, row.need, row.budget, row.time_frame,
                listings[row.listing_id].name if row.listing_id in listings else "",
                row.source.value, row.stage.value, row.lost_reason, row.review.value,
                "yes" if row.duplicate_of_id else "no", row.accepted_at,
            )
            for row in rows
        ),
    )  # fmt: skip


@leads.get("/partner/leads/register")
@needs("leads.use")
def lead_new() -> ResponseReturnValue:
    """The form for a lead of one's own."""
    return _form_page(LeadForm(formdata=None))


@leads.post("/partner/leads/register")
@needs("leads.use")
@limiter.limit("120 per hour", key_func=by_person)
def lead_create() -> ResponseReturnValue:
    """Register it; staff look at it before it counts."""
    form = LeadForm()
    values = form.values()
    typed = (form.listing.data or "").strip()
    listing = queries.find_named_listing(typed) if typed else None
    if typed and listing is None:
        form.listing.errors = [NO_LISTING]
        return _form_page(form), 422
    values["listing_id"] = listing.id if listing else None
    organization = db.session.get_one(Organization, own_id())
    try:
        if not form.permitted.data:
            raise InvalidError({"permitted": "Without the person's agreement it stays with you."})
        lead = register(values, organization=organization, by_user_id=current_actor().user_id)
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form), 422
    if lead.duplicate_of_id is not None:
        flash(
            "Registered, but this person or company is known already: it does not count.",
            "warning",
        )
    else:
        flash("Registered. Staff look at it before it counts.", "success")
    return _to(lead)


@leads.get(_PATH)
@_WORK
def lead(lead: Lead) -> ResponseReturnValue:
    """One lead with its contact."""
    return _lead_page(lead)


@leads.post(f"{_PATH}/stage")
@_WORK
def lead_stage(lead: Lead) -> ResponseReturnValue:
    """Move it to another stage, from its page or from the board."""
    form = StageForm()
    try:
        working.move(
            lead,
            form.stage.data or "",
            form.reason.data or "",
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _lead_page(lead, stage_form=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("leads.index"), code=303)
    if form.back.data == "board":
        return redirect(url_for("leads.index", view="board"), code=303)
    flash("Moved.", "success")
    return _to(lead)


@leads.post(f"{_PATH}/notes")
@_WORK
@limiter.limit("300 per hour", key_func=by_person)
def lead_note(lead: Lead) -> ResponseReturnValue:
    """Write a note."""
    form = NoteForm()
    try:
        working.add_note(
            lead,
            form.body.data or "",
            organization_id=own_id(),
            by_user_id=current_actor().user_id,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _lead_page(lead, note_form=form), 422
    return _to(lead, "notes")


@leads.post(f"{_PATH}/tasks")
@_WORK
@limiter.limit("300 per hour", key_func=by_person)
def lead_task(lead: Lead) -> ResponseReturnValue:
    """Plan something."""
    form = TaskForm()
    if not form.validate():
        return _lead_page(lead, task_form=form), 422
    try:
        working.add_task(
            lead,
            form.title.data or "",
            form.due_on.data,
            open_tasks=sum(task.done_at is None for task in queries.tasks_of(lead)),
            by_user_id=current_actor().user_id,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _lead_page(lead, task_form=form), 422
    return _to(lead, "tasks")


@leads.get(f"{_PATH}/withdrawal")
@_WORK
def lead_withdrawing(lead: Lead) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("leads/withdrawal.html", lead=lead)


@leads.post(f"{_PATH}/withdrawal")
@_WORK
def lead_withdraw(lead: Lead) -> ResponseReturnValue:
    """Take back a lead that was registered by mistake."""
    try:
        reviewing.take_back(lead.id, organization_id=own_id(), by_user_id=current_actor().user_id)
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(lead)
    flash("Taken back. The person's data is removed.", "success")
    return redirect(url_for("leads.index"), code=303)


@leads.post("/partner/leads/tasks/<lead_task_id>")
@needs("lead_task.tick", load=queries.find_task, name="task")
def tick_task(task: LeadTask) -> ResponseReturnValue:
    """Mark a task as done, or as open again."""
    working.tick(task, done=request.form.get("done") == "yes")
    return _to(task.lead, "tasks")


def _to(lead: Lead, anchor: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("leads.lead", lead_id=lead.public_id, _anchor=anchor), code=303)


def _form_page(form: LeadForm) -> str:
    return render_template(
        "leads/register.html",
        form=form,
        most=MOST,
        own_listings=queries.own_listing_names(own_id()),
    )


def _lead_page(
    lead: Lead,
    *,
    stage_form: StageForm | None = None,
    note_form: NoteForm | None = None,
    task_form: TaskForm | None = None,
) -> str:
    stage = stage_form or StageForm(formdata=None)
    if stage_form is None:
        stage.stage.data, stage.reason.data = lead.stage.value, lead.lost_reason
    notes = queries.notes_of(lead, lead.owner_id)
    events = queries.events_of(lead, since=lead.accepted_at)
    return render_template(
        "leads/lead.html",
        lead=lead,
        stage_form=stage,
        note_form=note_form or NoteForm(formdata=None),
        task_form=task_form or TaskForm(formdata=None),
        notes=notes,
        tasks=queries.tasks_of(lead),
        events=events,
        names=queries.names_of([row.by_user_id for row in notes]),
        listing=queries.listings_of([lead.listing_id]).get(lead.listing_id or 0),
        texts=texts,
        most_note=working.MOST_NOTE,
    )
