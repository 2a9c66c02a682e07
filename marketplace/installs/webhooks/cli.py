"""`flask --app wsgi webhooks …`"""

import click
from flask import current_app
from flask.cli import AppGroup

from marketplace.installs.webhooks.dispatcher import deliver_due

webhooks_group = AppGroup("webhooks", help="Events to partners.")


@webhooks_group.command("deliver")
def deliver() -> None:
    """Send everything that is due now, then stop."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # werkzeug's proxy
    click.echo(f"{deliver_due(app)} requests made.")
