"""The demo's client workspaces: an agency sets one up and has sent the link."""

from collections.abc import Callable

from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.acting import actor
from marketplace.pipeline.handovers import services
from marketplace.pipeline.handovers.models import ClientWorkspace


def load(tell: Callable[[str], None]) -> None:
    """Set two workspaces up and offer one. Commits; does nothing when there are any."""
    agency = actor("agency-owner", "studio-okavango")
    if agency is None or db.session.scalar(select(func.count()).select_from(ClientWorkspace)):
        return
    with unit_of_work():
        services.set_up("Baobab Primary Schools", actor=agency)
        offered = services.set_up("Marula Lodges", actor=agency)
        services.offer(offered, "office@marula-lodges.example", actor=agency)
    tell("An agency has two client workspaces.")
