"""How many organizations may install what nobody has certified yet."""

from flask import current_app
from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.installs.models import Environment, Installation, InstallationState


def is_reached(installed: int, cap: int, *, is_certified: bool) -> bool:
    """Whether one more installation is too many. Certified listings have no cap."""
    return not is_certified and installed >= cap


def current_cap() -> int:
    """The cap that the operator set."""
    return int(current_app.extensions["portico_settings"].uncertified_install_cap)


def count_towards_cap(listing_id: int) -> int:
    """How many live installations of the listing there are. To rely on it, lock the app first."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Installation)
            .where(
                Installation.listing_id == listing_id,
                Installation.environment == Environment.LIVE,
                Installation.state != InstallationState.UNINSTALLED,
            )
        )
        or 0
    )
