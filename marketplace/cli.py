"""The flask commands: `flask --app wsgi …`."""

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from marketplace.catalogue.exchange.cli import catalogue_group
from marketplace.catalogue.indexing.cli import search_group
from marketplace.core import jobs
from marketplace.core.worker import work
from marketplace.demo.cli import demo_group
from marketplace.installs.oauth.cli import oauth_group
from marketplace.installs.webhooks.cli import webhooks_group
from marketplace.observability.governance.checking import verify_trail
from marketplace.observability.measuring_cli import add_measuring
from marketplace.program.cli import program_group
from marketplace.sales.cli import billing_group

jobs_group = AppGroup("jobs", help="The jobs that act outside the database.")
facts_group = AppGroup("facts", help="The audit trail.")


@jobs_group.command("work")
@click.option("--threads", default=2, show_default=True, help="Jobs run at the same time.")
def jobs_work(threads: int) -> None:
    """Run jobs as they come, until stopped."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # werkzeug's proxy
    work(app, threads=threads)


@jobs_group.command("run")
def jobs_run() -> None:
    """Run everything that is due now, then stop."""
    click.echo(f"{jobs.sweep()} jobs done.")


@facts_group.command("verify")
def facts_verify() -> None:
    """Check the chain of all facts; exit 1 and name the broken ones."""
    broken = list(verify_trail())
    for link in broken:
        click.echo(f"Fact {link.fact_id}: {link.reason}.", err=True)
    if broken:
        raise SystemExit(1)
    click.echo("Every fact is what was recorded.")


def register_commands(app: Flask) -> None:
    """Add the commands to the application."""
    app.cli.add_command(jobs_group)
    app.cli.add_command(facts_group)
    app.cli.add_command(catalogue_group)
    app.cli.add_command(search_group)
    app.cli.add_command(demo_group)
    app.cli.add_command(webhooks_group)
    app.cli.add_command(oauth_group)
    app.cli.add_command(billing_group)
    add_measuring(program_group)
    app.cli.add_command(program_group)
