"""`flask --app wsgi demo load`."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from marketplace.config import Settings
from search.engine import SearchUnavailable

demo_group = AppGroup("demo", help="The demo catalogue.")


@demo_group.command("load")
@click.option("--force", is_flag=True, help="Also where PORTICO_ENV is not demo.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another folder of the same files.",
)
def load_command(force: bool, folder: Path | None) -> None:
    """Load the demo catalogue; quick when it is loaded already."""
    # A site that is no demo need not wait for all of it at its start.
    from marketplace.demo.load import FOLDER, DemoFilesError, load_demo

    settings: Settings = current_app.extensions["portico_settings"]
    if settings.portico_env != "demo" and not force:
        raise click.ClickException(
            "This is not a demo (PORTICO_ENV is not demo). Use --force to load it all the same."
        )
    try:
        if not load_demo(folder or FOLDER, tell=click.echo):
            click.echo("The demo catalogue is loaded already.")
    except (DemoFilesError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    except SearchUnavailable as error:
        raise click.ClickException(f"Search does not answer: {error.reason}.") from None
