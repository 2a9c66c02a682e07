"""Locks that hold on both databases.

An update that changes nothing, not SELECT FOR UPDATE: that locks the row on PostgreSQL, and the
whole file on SQLite, where a read alone would lock nothing.
"""

from sqlalchemy import update

from marketplace.core.database import db
from marketplace.core.errors import NotFoundError
from marketplace.installs.models import App, Environment, OAuthClient


def lock_app(app: App) -> App:
    """Let one transaction at a time change the app; its values as they are now."""
    db.session.execute(
        update(App)
        .where(App.id == app.id)
        .values(name=App.name, updated_at=App.updated_at)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(app)
    return app


def lock_client(app: App, environment: Environment) -> OAuthClient:
    """Let one transaction at a time change the app's client; its values as they are now.

    Raises NotFoundError when there is none.
    """
    client = db.session.scalar(
        update(OAuthClient)
        .where(OAuthClient.app_id == app.id, OAuthClient.environment == environment)
        .values(name=OAuthClient.name)
        .returning(OAuthClient)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if client is None:
        raise NotFoundError
    return client
