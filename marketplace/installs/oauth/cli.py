"""`flask --app wsgi oauth resource-server`."""

import click
from flask.cli import AppGroup

from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.installs.oauth.queries import resource_servers
from marketplace.installs.oauth.resource_servers import (
    create_resource_server,
    disable_resource_server,
)

oauth_group = AppGroup("oauth", help="The authorization server.")


@oauth_group.command("resource-server")
@click.argument("name", required=False)
@click.option("--list", "shows_all", is_flag=True, help="Show the resource servers.")
@click.option("--disable", "disabled_id", metavar="ID", help="End the one with this client id.")
def resource_server(name: str | None, shows_all: bool, disabled_id: str | None) -> None:
    """Let a service of yours, called NAME, ask what the tokens of apps may do.

    Prints its client id and secret. The secret is shown this once.
    """
    if [name is not None, shows_all, disabled_id is not None].count(True) != 1:
        raise click.UsageError("Give a NAME, or --list, or --disable ID.")
    if shows_all:
        _show_all()
    elif disabled_id is not None:
        _disable(disabled_id)
    elif name is not None:
        _create(name)


def _create(name: str) -> None:
    try:
        with unit_of_work():
            made = create_resource_server(name)
    except InvalidError as error:
        raise click.ClickException(error.fields["name"]) from None
    click.echo(f"client_id      {made.client_id}")
    click.echo(f"client_secret  {made.secret}")
    click.echo("Keep the secret now: it is not shown again.", err=True)


def _disable(client_id: str) -> None:
    try:
        with unit_of_work():
            name = disable_resource_server(client_id).name
    except NotFoundError as error:
        raise click.ClickException(error.detail) from None
    click.echo(f"{name} can no longer ask.")


def _show_all() -> None:
    servers = resource_servers()
    for server in servers:
        state = "disabled" if server.disabled_at else "active"
        click.echo(f"{server.client_id}  {state:<8}  {server.created_at:%Y-%m-%d}  {server.name}")
    if not servers:
        click.echo("There are none.")
