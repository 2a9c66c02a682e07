"""Removing an installation: its tokens end at once, and its publisher must erase the data."""

from sqlalchemy import update

from marketplace.catalogue.content import clean_text
from marketplace.catalogue.engagement.services.uses import withdraw_use
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.permissions import Actor
from marketplace.installs.customer.services.consent import acting_for
from marketplace.installs.customer.services.erasures import request_erasure
from marketplace.installs.customer.services.recording import lock_app, lock_installation, record
from marketplace.installs.grants import revoke_installation_grants
from marketplace.installs.measures import measure_installation
from marketplace.installs.models import App, Environment, Installation, InstallationState

MAX_NOTE = 1_000
REASONS = {
    "not_needed": "We do not need it any more",
    "missing_feature": "It lacks something we need",
    "broken": "It does not work",
    "too_expensive": "It is too expensive",
    "privacy": "We have concerns about our data",
    "other_product": "We use another product",
    "testing": "We only tried it",
    "other": "Something else",
}


def uninstall(actor: Actor, installation: Installation, *, reason: str, note: str = "") -> bool:
    """Remove the installation for good; whether that is new. Repeating it is harmless.

    In one transaction: its grants are revoked, the partner is told `installation.uninstalled` and
    then `data.erasure_requested`, and the organization uses the listing no more.
    Raises InvalidError for an unknown reason or a note that is too long.
    """
    note = clean_text(note)
    if reason not in REASONS:
        raise InvalidError({"reason": "Choose a reason."})
    if len(note) > MAX_NOTE:
        raise InvalidError({"note": f"Use at most {MAX_NOTE:,} characters."})
    # Its place under the cap becomes free.
    lock_app(installation.app_id)
    lock_installation(installation)
    if not installation.is_live:
        return False
    installation.state = InstallationState.UNINSTALLED
    installation.pause_cause = installation.paused_at = None
    installation.uninstalled_at = clock.now()
    installation.uninstalled_by_id = actor.user_id
    installation.uninstall_reason = reason
    installation.uninstall_note = note
    db.session.flush()
    revoke_installation_grants(installation.id, "uninstalled")
    record(
        installation,
        "uninstalled",
        actor.user_id,
        data={"reason": reason},
        event={"reason": reason, "note": note},
    )
    measure_installation(installation)
    request_erasure(installation, actor.user_id)
    if installation.environment is Environment.LIVE and installation.listing is not None:
        withdraw_use(acting_for(actor, installation.organization), installation.listing)
        # When the cap is reached again, that is news again.
        db.session.execute(
            update(App)
            .where(App.id == installation.app_id)
            .values(cap_told_at=None, updated_at=App.updated_at)
            .execution_options(synchronize_session=False)
        )
    return True
