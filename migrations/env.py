"""Alembic's environment: the application's own engine and metadata."""

from alembic import context
from flask import current_app

from marketplace.core.database import db


def run() -> None:
    """Run the migrations in one transaction (SQLite and PostgreSQL both have transactional DDL)."""
    options = current_app.extensions["migrate"].configure_args
    with db.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=db.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()


run()
