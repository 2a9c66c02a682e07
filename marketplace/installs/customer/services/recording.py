"""Every change of an installation is told three times: on its page, as a fact, to its partner."""

from typing import Any

from sqlalchemy import update

from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.identity.models import Organization
from marketplace.installs.customer.event_data import installation_data
from marketplace.installs.models import App, Installation, InstallationEvent
from marketplace.installs.webhooks.events import emit


def record(
    installation: Installation,
    kind: str,
    user_id: int | None,
    *,
    tells_partner: bool = True,
    data: dict[str, Any] | None = None,
    event: dict[str, Any] | None = None,
) -> None:
    """Note that `kind` (like `paused`) happened to the installation. Flushes.

    `data` goes to the installation's page and the fact; `event` is added to the webhook event
    `installation.<kind>`, which the partner gets unless `tells_partner` is False.
    """
    db.session.flush()
    db.session.add(
        InstallationEvent(
            installation_id=installation.id,
            app_id=installation.app_id,
            kind=kind,
            user_id=user_id,
            data=data or {},
        )
    )
    record_fact(
        f"installation.{kind}",
        subject=("installation", installation.public_id),
        actor_user_id=user_id,
        organization_id=installation.organization_id,
        data=data,
    )
    if tells_partner:
        emit(
            f"installation.{kind}",
            organization_id=installation.app.publisher_id,
            environment=installation.environment,
            data=installation_data(installation, **(event or {})),
            app=installation.app,
            installation=installation,
        )


def lock_app(app_id: int) -> None:
    """Hold the app's row until the transaction ends: installations are counted under it.

    An UPDATE that changes nothing: a row lock on PostgreSQL, the write lock on SQLite.
    """
    db.session.flush()
    db.session.execute(
        update(App)
        .where(App.id == app_id)
        .values(updated_at=App.updated_at)
        .execution_options(synchronize_session=False)
    )


def lock_organization(organization_id: int) -> None:
    """Hold the organization's row until the transaction ends: its policy is read, and what it
    has installed changes, under it. Who locks an app too locks that first."""
    db.session.flush()
    db.session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(updated_at=Organization.updated_at)
        .execution_options(synchronize_session=False)
    )


def lock_installation(installation: Installation) -> None:
    """Hold the installation's organization and read the installation as it is now."""
    lock_organization(installation.organization_id)
    db.session.refresh(installation)
