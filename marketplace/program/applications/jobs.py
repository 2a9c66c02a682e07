"""What happens by itself: reminders, missed promises, missed gates, tracks that end."""

from datetime import timedelta

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, enqueue, job_handler, periodic
from marketplace.program.applications.models import PlaceState, RoundPlace
from marketplace.program.applications.services import reminding
from marketplace.program.applications.services.milestones import miss_due_gates
from marketplace.program.applications.services.places import end_track
from marketplace.program.applications.services.promises import keep_promise, missed_promises
from marketplace.program.reminders import forget_old_ones

WATCH = "applications.watch"
REMIND = "applications.remind"
KEEP_PROMISE = "applications.keep_promise"
END_TRACK = "applications.end_track"
EVERY = timedelta(minutes=15)
REMIND_EVERY = timedelta(hours=1)


@periodic(WATCH, every=EVERY)
def watch(_payload: Payload) -> None:
    """Look for what is due; each is then done in a transaction of its own."""
    for application_id in missed_promises():
        enqueue(
            KEEP_PROMISE,
            {"application_id": application_id},
            dedupe_key=f"{KEEP_PROMISE}:{application_id}",
        )
    ended = db.session.scalars(
        select(RoundPlace.id)
        .where(RoundPlace.state == PlaceState.ACTIVE, RoundPlace.ends_at <= clock.now())
        .order_by(RoundPlace.id)
        .limit(200)
    )
    for place_id in ended:
        enqueue(END_TRACK, {"place_id": place_id}, dedupe_key=f"{END_TRACK}:{place_id}")
    miss_due_gates()


@periodic(REMIND, every=REMIND_EVERY)
def remind(_payload: Payload) -> None:
    """Tell everybody of what is due within a week, once each."""
    reminding.remind_of_milestones()
    reminding.remind_of_terms()
    reminding.remind_of_tracks()
    reminding.remind_of_activities()
    forget_old_ones()


@job_handler(KEEP_PROMISE)
def keep_one_promise(payload: Payload) -> None:
    """Note one missed promise and give the fee back."""
    keep_promise(int(payload["application_id"]))


@job_handler(END_TRACK)
def end_one_track(payload: Payload) -> None:
    """Complete one accelerator's track."""
    end_track(int(payload["place_id"]))
