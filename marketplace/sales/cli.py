"""`flask --app wsgi billing …`: reconciling, closing, paying and verifying from a terminal."""

from typing import BinaryIO

import click
from flask.cli import AppGroup

from billing.bank_files.importing import import_bank_file
from billing.bank_files.rows import BankFileError
from billing.gateway import StripeError, StripeNotConfiguredError, gateway
from billing.periods import Gravity, checklist, close_period, is_period_code
from billing.reconciliation.runs import begin, go_on
from billing.verify import verify
from marketplace.core.errors import ConflictError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.sales.finance.payouts.cli import finance_person, run_command

billing_group = AppGroup("billing", help="The money: reconcile, close a month, pay, verify.")
billing_group.add_command(run_command)


@billing_group.command("reconcile")
@click.option("--whole", is_flag=True, help="Read all of Stripe's list again.")
def reconcile(whole: bool) -> None:
    """Compare ledger, Stripe and bank now; go on with a run that stopped. Exit 1 when breaks are
    open."""
    try:
        gateway()
        with unit_of_work():
            run_id = begin(whole=whole)
        outcome = go_on(run_id)
    except StripeNotConfiguredError:
        raise click.ClickException("STRIPE_API_KEY is not set.") from None
    except StripeError as error:
        raise click.ClickException(f"Stripe: {error}. Run it again to go on.") from error
    figures = outcome.figures
    click.echo(
        f"Run {outcome.run_id}: {figures.get('mirrored', 0)} read, {figures.get('matched', 0)} "
        f"matched, {figures.get('booked', 0)} booked, {figures.get('bank_matched', 0)} lines of "
        f"the bank; {figures.get('opened', 0)} breaks new, {figures.get('resolved', 0)} resolved."
    )
    if outcome.open_breaks:
        count = outcome.open_breaks
        click.echo("1 break is open." if count == 1 else f"{count} breaks are open.", err=True)
        raise SystemExit(1)


@billing_group.command("verify")
def verify_command() -> None:
    """Check every invariant of the whole ledger. Exit 1 and name each row that is broken."""
    found = 0
    for broken in verify():
        found += 1
        click.echo(str(broken))
    if found:
        click.echo(f"{found} broken.", err=True)
        raise SystemExit(1)
    click.echo("Nothing is broken.")


@billing_group.command("close")
@click.argument("month")
@click.option("--as", "email", help="Who closes it, by e-mail address: somebody of finance.")
@click.option("--check", is_flag=True, help="Only say what is missing.")
@click.option("--note", default="", help="Kept with the month.")
def close(month: str, email: str | None, check: bool, note: str) -> None:
    """Close a month for ever, like 2026-10. Exit 1 and say what is missing when it cannot be."""
    if not is_period_code(month):
        raise click.BadParameter("must be like 2026-10", param_hint="MONTH")
    user_id = finance_person(email)
    if user_id is None and not check:
        raise click.UsageError("Closing needs --as: somebody answers for it.")
    marks = {Gravity.DONE: "ok", Gravity.WARNING: "! ", Gravity.BLOCKING: "NO"}
    checks = checklist(month)
    for each in checks:
        click.echo(f"{marks[each.gravity]}  {each.title}. {each.text}")
    if check:
        raise SystemExit(1 if any(each.gravity is Gravity.BLOCKING for each in checks) else 0)
    try:
        with unit_of_work():
            close_period(month, by_user_id=user_id, note=note)
    except ConflictError as error:
        raise click.ClickException(error.detail) from error
    click.echo(f"{month} is closed.")


@billing_group.command("import-bank")
@click.argument("path", type=click.File("rb"))
@click.option("--currency", default="EUR", show_default=True, help="Where a CSV names none.")
@click.option("--account", default="", help="Where a CSV names none.")
def import_bank(path: BinaryIO, currency: str, account: str) -> None:
    """Take in a file of the bank (CSV or camt.053) and match its lines."""
    try:
        with unit_of_work():
            made, is_new = import_bank_file(
                path.read(), str(path.name), currency=currency.upper(), account=account
            )
            click.echo(
                f"Lines: {made.lines_new} new, {made.lines_known} known."
                if is_new
                else "This very file was imported before."
            )
    except BankFileError as error:
        raise click.ClickException(str(error)) from error
