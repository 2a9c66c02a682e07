"""Account checks: inviting, comparing, receipts, the shared workspace."""

import codecs

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, RateLimitedError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.pipeline.account_checks import queries, texts
from marketplace.pipeline.account_checks.forms import EntryForm, InviteForm, ListForm, NoteForm
from marketplace.pipeline.account_checks.hashing import FEWEST, MOST
from marketplace.pipeline.account_checks.models import AccountCheck, AccountReceipt, CheckState
from marketplace.pipeline.account_checks.services import agreeing, comparing, sharing
from marketplace.pipeline.account_checks.services.comparing import Match
from marketplace.pipeline.account_checks.views.blueprints import account_checks
from marketplace.pipeline.leads.queries import names_of, organizations_of
from marketplace.pipeline.leads.views.own import by_person, own_id
from marketplace.sales.form_errors import show_errors
from marketplace.sales.resale.queries import find_partner

_PATH = "/partner/account-checks/<account_check_id>"
_USE = needs(
    "account_check.use",
    load=queries.find_check,
    name="check",
)
_ANSWER = needs(
    "account_check.answer",
    load=queries.find_check,
    name="check",
)
_MOST_BYTES = 1024 * 1024


def _me() -> int | None:
    return current_actor().user_id


@account_checks.get("/partner/account-checks")
@needs("account_checks.use")
def index() -> ResponseReturnValue:
    """Invitations and checks."""
    own = own_id()
    page = queries.page_of_checks(own, page_number(request.args.get("page")))
    return render_template(
        "account_checks/index.html",
        page=page,
        own=own,
        organizations=organizations_of([row.other_of(own) for row in page.items]),
        texts=texts,
    )


@account_checks.get("/partner/account-checks/new")
@needs("account_checks.use")
def check_new() -> ResponseReturnValue:
    """The form for an invitation."""
    return render_template("account_checks/invite.html", form=InviteForm(formdata=None))


@account_checks.post("/partner/account-checks/new")
@needs("account_checks.use")
@limiter.limit("20 per day", key_func=by_person, deduct_when=lambda r: r.status_code < 400)
def check_invite() -> ResponseReturnValue:
    """Invite a partner."""
    form = InviteForm()
    try:
        check = agreeing.invite(
            db.session.get_one(Organization, own_id()),
            find_partner((form.partner.data or "")[:200]),
            form.level.data or "",
            form.message.data or "",
            by_user_id=_me(),
        )
    except InvalidError as error:
        show_errors(form, error)
        return render_template("account_checks/invite.html", form=form), 422
    except ConflictError as error:
        form.partner.errors = [error.detail]
        return render_template("account_checks/invite.html", form=form), 422
    flash("Invited. Nothing is compared before they accept.", "success")
    return _to(check)


@account_checks.get(_PATH)
@_USE
def check(check: AccountCheck) -> ResponseReturnValue:
    """One check: what was agreed, the lists, what is shared."""
    return _page(check)


@account_checks.post(f"{_PATH}/acceptance")
@_ANSWER
def check_accept(check: AccountCheck) -> ResponseReturnValue:
    """Accept the invitation."""
    try:
        agreeing.accept(check.id, by_user_id=_me())
        flash("Accepted. The shared workspace is open.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(check)


@account_checks.post(f"{_PATH}/refusal")
@_ANSWER
def check_decline(check: AccountCheck) -> ResponseReturnValue:
    """Decline it."""
    try:
        agreeing.decline(check.id, by_user_id=_me())
        flash("Declined.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(check)


@account_checks.get(f"{_PATH}/end")
@_USE
def check_ending(check: AccountCheck) -> ResponseReturnValue:
    """Ask once more."""
    other = organizations_of([check.other_of(own_id())])[check.other_of(own_id())]
    return render_template("account_checks/end.html", check=check, other=other)


@account_checks.post(f"{_PATH}/end")
@_USE
def check_end(check: AccountCheck) -> ResponseReturnValue:
    """End it: both lists and the key are deleted."""
    agreeing.end(check.id, own_id(), by_user_id=_me())
    flash("Ended. Both lists and the key are deleted.", "success")
    return _to(check)


@account_checks.post(f"{_PATH}/list")
@_USE
@limiter.limit("30 per hour", key_func=by_person)
def check_list(check: AccountCheck) -> ResponseReturnValue:
    """Hand in a list."""
    form = ListForm()
    try:
        receipt = comparing.hand_in(check.id, own_id(), _typed(form), by_user_id=_me())
    except InvalidError as error:
        show_errors(form, error)
        return _page(check, list_form=form), 422
    except RateLimitedError as error:
        form.entries.errors = [error.detail]
        return _page(check, list_form=form), 429
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(check)
    flash("Handed in. Only keyed hashes of it are kept, for 90 days.", "success")
    return redirect(
        url_for("account_checks.receipt", account_receipt_id=receipt.public_id), code=303
    )


@account_checks.post(f"{_PATH}/matches")
@_USE
@limiter.limit("60 per hour", key_func=by_person)
def check_matches(check: AccountCheck) -> ResponseReturnValue:
    """Show which of one's own entries match. A question: nothing is kept, so nothing is behind
    an address to go to."""
    form = ListForm()
    try:
        found = comparing.matches_of(check.id, own_id(), _typed(form))
    except InvalidError as error:
        show_errors(form, error)
        return _page(check, match_form=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(check)
    return _page(check, match_form=ListForm(formdata=None), matches=found)


@account_checks.post(f"{_PATH}/receipts")
@_USE
@limiter.limit("60 per hour", key_func=by_person)
def check_receipt(check: AccountCheck) -> ResponseReturnValue:
    """A receipt of since when both have had a customer."""
    form = EntryForm()
    try:
        receipt = comparing.entry_receipt(
            check.id, own_id(), form.entry.data or "", by_user_id=_me()
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(check, entry_form=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(check)
    return redirect(
        url_for("account_checks.receipt", account_receipt_id=receipt.public_id), code=303
    )


@account_checks.get("/partner/account-checks/receipts/<account_receipt_id>")
@needs(
    "account_receipt.view",
    load=queries.find_receipt,
    name="receipt",
)
def receipt(receipt: AccountReceipt) -> ResponseReturnValue:
    """A signed receipt, and whether it is ours."""
    check = db.session.get_one(AccountCheck, receipt.check_id)
    return render_template(
        "account_checks/receipt.html",
        receipt=receipt,
        check=check,
        is_genuine=comparing.is_genuine(receipt),
        organizations=organizations_of([check.inviter_id, check.invitee_id]),
    )


@account_checks.get(f"{_PATH}/workspace")
@_USE
def workspace(check: AccountCheck) -> ResponseReturnValue:
    """What both write to each other."""
    return _workspace(check, NoteForm(formdata=None))


@account_checks.post(f"{_PATH}/workspace")
@_USE
@limiter.limit("120 per hour", key_func=by_person)
def workspace_write(check: AccountCheck) -> ResponseReturnValue:
    """Write something."""
    form = NoteForm()
    try:
        sharing.write(
            check.id,
            own_id(),
            form.body.data or "",
            by_user_id=_me(),
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _workspace(check, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(check)
    return redirect(url_for("account_checks.workspace", account_check_id=check.public_id), code=303)


def _typed(form: ListForm) -> str:
    """What was pasted, or the file. Raises InvalidError."""
    upload = form.file.data
    if upload and getattr(upload, "filename", ""):
        data = upload.stream.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise InvalidError({"file": "The file is larger than 1 MB."})
        encoding = "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"
        try:
            return str(data.decode(encoding))
        except UnicodeDecodeError:
            raise InvalidError({"file": "Save the file as text in UTF-8."}) from None
    typed = form.entries.data or ""
    if len(typed) > _MOST_BYTES:
        raise InvalidError({"entries": "This is more than 1 MB."})
    return typed


def _to(check: AccountCheck) -> ResponseReturnValue:
    return redirect(url_for("account_checks.check", account_check_id=check.public_id), code=303)


def _workspace(check: AccountCheck, form: NoteForm) -> str:
    notes = sharing.notes_of(check)
    return render_template(
        "account_checks/workspace.html",
        check=check,
        form=form,
        notes=notes,
        names=names_of([row.by_user_id for row in notes]),
        organizations=organizations_of([check.inviter_id, check.invitee_id]),
        own=own_id(),
        is_open=check.state is CheckState.ACCEPTED,
        overlap=comparing.overlap_of(check, own_id()),
        most=sharing.MOST,
    )


def _page(
    check: AccountCheck,
    *,
    list_form: ListForm | None = None,
    match_form: ListForm | None = None,
    entry_form: EntryForm | None = None,
    matches: list[Match] | None = None,
) -> str:
    own = own_id()
    receipts = comparing.receipts_of(check)
    return render_template(
        "account_checks/check.html",
        check=check,
        own=own,
        is_invited=check.invitee_id == own,
        organizations=organizations_of([check.inviter_id, check.invitee_id]),
        overlap=comparing.overlap_of(check, own),
        receipts=receipts,
        list_form=list_form or ListForm(formdata=None),
        match_form=match_form or ListForm(formdata=None),
        entry_form=entry_form or EntryForm(formdata=None),
        matches=matches,
        fewest=FEWEST,
        most=MOST,
        quiet_days=comparing.QUIET.days,
        a_day=comparing.LISTS_A_DAY,
        texts=texts,
    )
