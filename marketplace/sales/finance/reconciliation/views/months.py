"""The months: their checklist, their close, and what leaves them for accounting."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response, flash, redirect, render_template, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from billing.formatting import plain_amount
from billing.journal import CSV_HEAD, beancount_lines, journal_rows
from billing.models import PeriodState
from billing.periods import (
    checklist,
    close_period,
    find_period,
    is_period_code,
    may_close,
    months,
    tolerance,
)
from billing.reconciliation.differences import month_bounds
from billing.reconciliation.matching import in_parts
from billing.reports import AGES, AgeLine, ageing_totals, partner_ageing, trial_balance
from marketplace.catalogue.engagement.csv_export import csv_cell
from marketplace.core import clock
from marketplace.core.errors import ConflictError
from marketplace.core.permissions import current_actor, needs
from marketplace.sales.finance.reconciliation import queries
from marketplace.sales.finance.reconciliation.forms import ClosingForm
from marketplace.sales.finance.reconciliation.views.blueprint import reconciliation

# So many partners on the page; the file has all.
MOST_PARTNERS = 25
TRIAL_HEAD = ("account", "code", "title", "currency", "debit", "credit",
              "month_debit", "month_credit")  # fmt: skip
AGE_HEAD = ("partner", "currency", "held", "to_30_days", "to_60_days", "to_90_days",
            "over_90_days", "total")  # fmt: skip


def load_month(period_code: str) -> str | None:
    """The month that an address names, from the first with a posting to the current one."""
    if not is_period_code(period_code):
        return None
    known = [code for code, _ in months()]
    return period_code if period_code in known else None


@reconciliation.get("/months")
@needs("periods.read")
def periods() -> ResponseReturnValue:
    """Every month and whether it is closed."""
    found = months()
    return render_template(
        "reconciliation/months.html",
        months=found,
        people=queries.names_of({period.closed_by_id for _, period in found if period}),
        now=clock.now(),
        bounds={code: month_bounds(code) for code, _ in found},
    )


@reconciliation.get("/months/<period_code>")
@needs("period.view", load=load_month, name="code")
def period(code: str) -> ResponseReturnValue:
    """One month: checklist, trial balance, what partners are owed, and the exports."""
    found = find_period(code)
    is_closed = found is not None and found.state is PeriodState.CLOSED
    start, end = month_bounds(code)
    at = min(end, clock.now())
    ageing = partner_ageing(at, through=code, limit=MOST_PARTNERS)
    totals = ageing_totals(at, through=code)
    balances = trial_balance(through=code)
    checks = [] if is_closed else checklist(code, balances)
    return render_template(
        "reconciliation/month.html",
        code=code,
        found=found,
        is_closed=is_closed,
        start=start,
        end=end,
        at=at,
        checks=checks,
        may_close=may_close(checks),
        kept=found.closing if found is not None and is_closed else {},
        balances=balances,
        ageing=ageing,
        partners_left=sum(count for _, count in totals) - len(ageing),
        totals=[line for line, _ in totals],
        partners=queries.organization_names({line.partner_id for line in ageing}),
        people=queries.names_of({found.closed_by_id if found else None}),
        tolerance=tolerance(),
        ages=AGES,
    )


@reconciliation.get("/months/<period_code>/closing")
@needs("period.close", load=load_month, name="code")
def closing(code: str) -> ResponseReturnValue:
    """Ask before a month closes for ever."""
    return _closing_page(code, ClosingForm(formdata=None))


@reconciliation.post("/months/<period_code>/closing")
@needs("period.close", load=load_month, name="code")
def close(code: str) -> ResponseReturnValue:
    """Close it, unless something is missing."""
    form = ClosingForm()
    if not form.validate_on_submit():
        return _closing_page(code, form), 422
    try:
        close_period(code, by_user_id=current_actor().user_id, note=form.note.data or "")
        flash(f"{code} is closed.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("reconciliation.period", period_code=code), code=303)


@reconciliation.get("/months/<period_code>/journal.csv")
@needs("period.view", load=load_month, name="code")
def journal_csv(code: str) -> ResponseReturnValue:
    """Every entry of the month."""
    return _streamed(f"journal-{code}.csv", CSV_HEAD, journal_rows(code))


@reconciliation.get("/months/<period_code>/journal.beancount")
@needs("period.view", load=load_month, name="code")
def journal_beancount(code: str) -> ResponseReturnValue:
    """The same in Beancount's format."""
    return _download(
        f"journal-{code}.beancount", "text/plain; charset=utf-8",
        beancount_lines(code, f"Journal {code}"),
    )  # fmt: skip


@reconciliation.get("/months/<period_code>/trial-balance.csv")
@needs("period.view", load=load_month, name="code")
def trial_balance_csv(code: str) -> ResponseReturnValue:
    """The balances after the month."""
    rows = [
        (
            line.account.number,
            line.account.code,
            line.account.title,
            each.currency,
            *(
                plain_amount(amount, each.currency)
                for amount in (
                    line.debit_balance,
                    line.credit_balance,
                    line.month_debit,
                    line.month_credit,
                )
            ),
        )
        for each in trial_balance(through=code)
        for line in each.lines
    ]
    return _streamed(f"trial-balance-{code}.csv", TRIAL_HEAD, rows)


@reconciliation.get("/months/<period_code>/partners.csv")
@needs("period.view", load=load_month, name="code")
def ageing_csv(code: str) -> ResponseReturnValue:
    """What every partner is owed after the month, by age."""
    _, end = month_bounds(code)
    lines = partner_ageing(min(end, clock.now()), through=code)
    return _streamed(f"partners-{code}.csv", AGE_HEAD, _age_rows(lines))


def _age_rows(lines: Sequence[AgeLine]) -> Iterator[Sequence[object]]:
    """With names, which are looked up for some at a time."""
    for part in in_parts(lines):
        names = queries.organization_names({line.partner_id for line in part})
        yield from (_age_row(line, names) for line in part)


def _age_row(line: AgeLine, names: dict[int, tuple[str, str]]) -> Sequence[object]:
    amounts = (line.held, *line.ages, line.total)
    name, _ = names.get(line.partner_id, (str(line.partner_id), ""))
    return (name, line.currency, *(plain_amount(each, line.currency) for each in amounts))


def _closing_page(code: str, form: ClosingForm) -> str:
    checks = checklist(code)
    found = find_period(code)
    return render_template(
        "reconciliation/closing.html",
        code=code,
        form=form,
        checks=checks,
        may_close=may_close(checks),
        is_closed=found is not None and found.state is PeriodState.CLOSED,
    )


def _streamed(
    name: str, head: Sequence[str], rows: Iterable[Sequence[object]]
) -> ResponseReturnValue:
    return _download(name, "text/csv; charset=utf-8", _csv_lines(head, rows))


def _csv_lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A CSV row by row, with the guard against formulas; amounts are plain numbers."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    yield "\ufeff"
    writer.writerow(head)
    for row in rows:
        writer.writerow([csv_cell(value) for value in row])
        if buffer.tell() > 32_000:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _download(name: str, content_type: str, parts: Iterator[str]) -> ResponseReturnValue:
    """A file of any size, made while it is sent."""
    response = Response(stream_with_context(parts), content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
