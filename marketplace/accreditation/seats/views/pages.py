"""Seats: the school's list, and the student's own page."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.seats import queries, services, texts
from marketplace.accreditation.seats.models import Seat
from marketplace.accreditation.seats.queries import School
from marketplace.accreditation.seats.views.blueprints import seats
from marketplace.accreditation.verification.queries import own_partner, verification_of
from marketplace.accreditation.verification.reading import verified_domains
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import User

_SEAT = "/partner/seats/<seat_id>/removal"
_REMOVE = needs("seat.remove", load=queries.find_seat, name="seat")


def _by_person() -> str:
    return f"user:{current_actor().user_id}"


@seats.get("/partner/seats")
@needs("seats.use")
def index() -> ResponseReturnValue:
    """The school's seats."""
    organization = own_partner(current_actor().organization_id)
    if organization is None:
        raise NotFoundError
    text = request.args.get("q", "").replace("\x00", "").strip()[:80]
    return render_template(
        "seats/index.html",
        organization=organization,
        verification=verification_of(organization.id),
        domains=verified_domains(organization.id),
        given=services.seats_given(organization.id),
        taken=queries.count_held(organization.id),
        page=queries.page_of_school(organization.id, text, page_number(request.args.get("page"))),
        q=text,
        texts=texts,
    )


@seats.get(_SEAT)
@_REMOVE
def removing(seat: Seat) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("seats/removal.html", seat=seat)


@seats.post(_SEAT)
@_REMOVE
def remove(seat: Seat) -> ResponseReturnValue:
    """Take the seat back."""
    services.end_seat(seat, by_user_id=current_actor().user_id)
    flash("The seat is free again.", "success")
    return redirect(url_for("seats.index"), code=303)


@seats.get("/seats")
@needs("seats.see_own")
def mine() -> ResponseReturnValue:
    """The person's own seats, and the schools that they may take one of."""
    user = db.session.get(User, current_actor().user_id)
    own = queries.seats_of_person(user.id) if user else []
    held = {seat.organization_id for seat in own}
    return render_template(
        "seats/mine.html",
        own=own,
        schools=[each for each in queries.schools_for(user) if each.organization.id not in held],
        email=user.email if user and user.email_verified else "",
        texts=texts,
    )


@seats.post("/seats/at/<school_slug>")
@needs("seat.take", load=queries.find_school, name="school")
@limiter.limit("20 per hour", key_func=_by_person)
def take(school: School) -> ResponseReturnValue:
    """Take a seat."""
    user = db.session.get(User, current_actor().user_id)
    if user is None:
        raise NotFoundError
    try:
        services.take_seat(school.organization, user)
        flash("The seat is yours. Switch to your lab to begin.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("seats.mine"), code=303)


@seats.get("/seats/<seat_id>/return")
@needs("seat.give_back", load=queries.find_seat, name="seat")
def returning(seat: Seat) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("seats/return.html", seat=seat)


@seats.post("/seats/<seat_id>/return")
@needs("seat.give_back", load=queries.find_seat, name="seat")
def give_back(seat: Seat) -> ResponseReturnValue:
    """Give the seat back."""
    services.end_seat(seat, by_user_id=current_actor().user_id)
    flash("Given back.", "success")
    return redirect(url_for("seats.mine"), code=303)
