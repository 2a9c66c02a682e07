"""`flask --app wsgi program remeasure`: what happened before the program existed counts too."""

import click
from flask.cli import AppGroup

from marketplace.catalogue.measures import remeasure as remeasure_catalogue
from marketplace.core.unit_of_work import unit_of_work
from marketplace.installs.measures import remeasure as remeasure_installs
from marketplace.sales.measures import remeasure as remeasure_sales


def remeasure_everything() -> dict[str, int]:
    """Measure every listing, review, installation and order there is, once however often it is
    called; how many rows of each were looked at. Each part is a transaction of its own."""
    found: dict[str, int] = {}
    for name, remeasure in (
        ("listings and reviews", remeasure_catalogue),
        ("installations", remeasure_installs),
        ("orders", remeasure_sales),
    ):
        with unit_of_work():
            found[name] = remeasure()
    return found


def add_measuring(group: AppGroup) -> None:
    """Add the command to the group `program`."""

    @group.command("remeasure")
    def remeasure() -> None:
        """Measure all that exists, so that it counts in scorecards. Repeating it is harmless."""
        for name, number in remeasure_everything().items():
            click.echo(f"{number:,} {name} looked at.")
