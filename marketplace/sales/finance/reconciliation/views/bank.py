"""The bank: its files, what has no match, and matching by hand."""

from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.bank_files.importing import import_bank_file
from billing.bank_files.rows import MAX_BYTES, BankFileError
from billing.models import BankImport, BankLine
from billing.reconciliation import bank as services
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.sales.finance.reconciliation import queries
from marketplace.sales.finance.reconciliation.forms import (
    FILTER_FIELDS,
    BankFileForm,
    LineFilterForm,
    MatchForm,
)
from marketplace.sales.finance.reconciliation.views.blueprint import reconciliation


@reconciliation.get("/reconciliation/bank")
@needs("bank_file.import")
def bank() -> ResponseReturnValue:
    """Files, and what found no match."""
    return _page()


@reconciliation.post("/reconciliation/bank/files")
@needs("bank_file.import")
def import_file() -> ResponseReturnValue:
    """Take a file in and match its lines."""
    form = BankFileForm()
    if not form.validate_on_submit():
        return _page(file_form=form)[0], 422
    data = form.file.data.stream.read(MAX_BYTES + 1)
    try:
        made, is_new = import_bank_file(
            data,
            form.file.data.filename or "",
            currency=form.currency.data,
            account=form.account.data or "",
            by_user_id=_me(),
        )
    except BankFileError as error:
        form.file.errors = [str(error)]
        return _page(file_form=form)[0], 422
    if is_new:
        flash(f"Imported: {_lines(made.lines_new)} new, {made.lines_known} known.", "success")
    else:
        flash("This very file was imported before. Nothing changed.", "info")
    return redirect(url_for("reconciliation.bank_file", bank_import_id=made.id), code=303)


@reconciliation.get("/reconciliation/bank/files/<int:bank_import_id>")
@needs("bank_file.view", load=queries.find_import, name="file")
def bank_file(file: BankImport) -> ResponseReturnValue:
    """The lines of a file and what each of them is."""
    page = queries.page_of_lines(file, page_number(request.args.get("page")))
    return render_template(
        "reconciliation/bank_file.html",
        file=file,
        page=page,
        matches=queries.matches_of_lines([each.id for each in page.items]),
        people=queries.names_of({file.imported_by_id}),
    )


@reconciliation.post("/reconciliation/bank/matches")
@needs("bank_file.import")
def match() -> ResponseReturnValue:
    """Match what a person chose."""
    form = MatchForm()
    try:
        if not form.validate_on_submit():
            return _page(match_form=form)[0], 422
        count = services.match_by_hand(form.payouts.data, form.lines.data, by_user_id=_me())
        flash(f"Matched: {_lines(count)}.", "success")
    except InvalidError as error:
        form.lines.errors = list(error.fields.values())
        return _page(match_form=form)[0], 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return _back()


@reconciliation.post("/reconciliation/bank/set-aside")
@needs("bank_file.import")
def set_aside() -> ResponseReturnValue:
    """Say that lines have nothing to do with Stripe."""
    form = MatchForm()
    try:
        if not form.validate_on_submit():
            return _page(match_form=form)[0], 422
        count = services.set_aside(form.lines.data, form.reason.data or "", by_user_id=_me())
        flash(f"Set aside: {_lines(count)}.", "success")
    except InvalidError as error:
        for name, text in error.fields.items():
            form[name].errors = [text]
        return _page(match_form=form)[0], 422
    return _back()


@reconciliation.post("/reconciliation/bank/lines/<int:bank_line_id>/taking-up")
@needs("bank_line.handle", load=queries.find_line, name="line")
def take_up(line: BankLine) -> ResponseReturnValue:
    """A line that was set aside counts again."""
    try:
        services.take_up_again(line, by_user_id=_me())
        flash("The line counts again.", "info")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to_file(line)


@reconciliation.get("/reconciliation/bank/lines/<int:bank_line_id>/unmatching")
@needs("bank_line.handle", load=queries.find_line, name="line")
def unmatching(line: BankLine) -> ResponseReturnValue:
    """Ask before a match is taken back."""
    return render_template(
        "reconciliation/unmatching.html",
        line=line,
        matches=queries.matches_of_lines([line.id]).get(line.id, []),
    )


@reconciliation.post("/reconciliation/bank/lines/<int:bank_line_id>/unmatching")
@needs("bank_line.handle", load=queries.find_line, name="line")
def unmatch(line: BankLine) -> ResponseReturnValue:
    """Take a match back and reverse its booking."""
    try:
        services.unmatch_line(line, by_user_id=_me())
        flash("The match is taken back.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to_file(line)


def _back() -> ResponseReturnValue:
    values: dict[str, Any] = _here()
    return redirect(url_for("reconciliation.bank", **values), code=303)


def _to_file(line: BankLine) -> ResponseReturnValue:
    return redirect(url_for("reconciliation.bank_file", bank_import_id=line.import_id), code=303)


def _page(
    file_form: BankFileForm | None = None, match_form: MatchForm | None = None
) -> tuple[str, int]:
    """The page for what the address asks, and its status: 422 when the filter is none."""
    files = queries.page_of_imports(page_number(request.args.get("page")))
    form = match_form or MatchForm(formdata=None)
    line_filter = LineFilterForm(formdata=request.args)
    # A filter that is wrong is said, and nothing is shown: all lines would be taken for the answer.
    lines = (
        queries.page_of_open_lines(line_filter.wanted(), page_number(request.args.get("line_page")))
        if line_filter.validate()
        else None
    )
    page = render_template(
        "reconciliation/bank.html",
        file_form=file_form or BankFileForm(formdata=None, data={"currency": "EUR"}),
        match_form=form,
        line_filter=line_filter,
        asked=line_filter.asked(),
        here=_here(),
        file_address=partial(_address, "page"),
        line_address=partial(_address, "line_page"),
        payout_address=partial(_address, "payout_page"),
        chosen_payouts=set(form.payouts.data or ()),
        chosen_lines=set(form.lines.data or ()),
        files=files,
        people=queries.names_of({each.imported_by_id for each in files.items}),
        lines=lines,
        payouts=queries.page_of_open_payouts(page_number(request.args.get("payout_page"))),
    )
    return page, 200 if lines is not None else 422


def _here() -> dict[str, str]:
    """The filter and the pages of the lists in the address, to come back to them."""
    names = (*FILTER_FIELDS, "page", "line_page", "payout_page")
    return {name: text for name in names if (text := request.args.get(name, ""))}


def _address(name: str, number: int) -> str:
    """This page's address with another page of the list whose number is called `name`."""
    values: dict[str, Any] = _here() | {name: str(number)}
    return url_for(
        "reconciliation.bank", **values, _anchor="files" if name == "page" else "by-hand"
    )


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _me() -> int:
    user_id = current_actor().user_id
    assert user_id is not None  # noqa: S101 - staff are signed in
    return user_id
