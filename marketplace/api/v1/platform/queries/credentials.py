"""The names behind an app's token."""

from typing import Any

from sqlalchemy import bindparam, func, select

from marketplace.core.database import Id, db
from marketplace.identity.models import Organization
from marketplace.installs.models import App

_NAMES = (
    select(App.name.label("app_name"), Organization.slug, Organization.name)
    .join(
        Organization,
        Organization.id == func.coalesce(bindparam("customer", type_=Id), App.publisher_id),
    )
    .where(App.id == bindparam("app"))
)


def names_of(app_id: int, customer_id: int | None) -> Any:
    """The app's name, and the organization's that its token speaks for; one query."""
    names = {"app": app_id, "customer": customer_id}
    with db.engine.connect() as connection:
        return connection.execute(_NAMES, names).one()
