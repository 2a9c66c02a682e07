"""Partners' accounts at Stripe: opening one, finishing its set-up, knowing what it can take.

Accounts are made with version 2 of the API (a `recipient` that may be sent transfers), and with
version 1 where Stripe does not offer that to the platform yet. The rest of billing sees one shape.
The partner gives its bank details and documents to Stripe, never to us.
"""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, or_, select

from billing.gateway import (
    JsonDict,
    StripeAccountError,
    StripeBusyError,
    StripeError,
    StripeRejectedError,
    StripeUnknownError,
    gateway,
    has_stripe,
    retry_later,
)
from billing.models import AccountState, ConnectedAccount, OperationState, StripeOperation
from billing.operations import OperationConflictError, perform
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, UnavailableError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, enqueue, job_handler, periodic
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.unit_of_work import unit_of_work

log = logging.getLogger(__name__)

REFRESH = "connect.refresh"
CHECK_EVERY = timedelta(hours=24)
_V2_PARTS = ("configuration.recipient", "identity", "requirements", "defaults")
# Codes of requirements in words; anything else is shown as Stripe writes it.
_REASONS: Mapping[str, str] = {
    "requirements_past_due": "information is missing",
    "requirements.past_due": "information is missing",
    "requirements_pending_verification": "Stripe is checking what was given",
    "requirements.pending_verification": "Stripe is checking what was given",
    "determining_status": "Stripe is checking what was given",
    "under_review": "Stripe is reviewing the account",
    "listed": "Stripe is reviewing the account",
    "restricted_other": "Stripe asks you to get in touch",
    "unsupported_country": "transfers to this country are not supported",
    "unsupported_business": "Stripe does not support this business",
}


@dataclass(frozen=True)
class AccountFacts:
    """What Stripe says of an account, whichever API tells it. Currencies in upper case."""

    state: AccountState
    country: str | None = None
    default_currency: str | None = None
    currencies: list[str] = field(default_factory=list)
    requirements: list[str] = field(default_factory=list)
    restriction: str = ""


def facts_of_v2(found: Mapping[str, Any], *, was_ready: bool) -> AccountFacts:
    """Read an account of version 2. What was never ready is being set up, not restricted."""
    recipient = (found.get("configuration") or {}).get("recipient") or {}
    balance = (recipient.get("capabilities") or {}).get("stripe_balance") or {}
    capability = balance.get("stripe_transfers") or {}
    status = capability.get("status") or "pending"
    codes = [str(each.get("code", "")) for each in capability.get("status_details") or []]
    entries = (found.get("requirements") or {}).get("entries") or []
    wanted = [
        str(each.get("description", ""))
        for each in entries
        if each.get("awaiting_action_from", "user") == "user"
    ]
    if found.get("closed"):
        state = AccountState.DISCONNECTED
    elif status == "active":
        state = AccountState.READY
    elif status in {"rejected", "unsupported"} or was_ready:
        state = AccountState.RESTRICTED
    else:
        state = AccountState.ONBOARDING
    identity, defaults = found.get("identity") or {}, found.get("defaults") or {}
    return AccountFacts(
        state=state,
        country=_upper(identity.get("country")),
        default_currency=_upper(defaults.get("currency")),
        requirements=[each for each in wanted if each],
        restriction="" if state is not AccountState.RESTRICTED else _in_words(codes),
    )


def facts_of_v1(found: Mapping[str, Any], *, was_ready: bool) -> AccountFacts:
    """Read an account of version 1."""
    requirements = found.get("requirements") or {}
    disabled = str(requirements.get("disabled_reason") or "")
    transfers = (found.get("capabilities") or {}).get("transfers")
    due = [
        str(each)
        for each in (requirements.get("past_due") or []) + (requirements.get("currently_due") or [])
    ]
    if disabled.startswith("rejected"):
        state = AccountState.RESTRICTED
    elif transfers == "active":
        state = AccountState.READY
    elif was_ready or (found.get("details_submitted") and disabled):
        state = AccountState.RESTRICTED
    else:
        state = AccountState.ONBOARDING
    banks = (found.get("external_accounts") or {}).get("data") or []
    return AccountFacts(
        state=state,
        country=_upper(found.get("country")),
        default_currency=_upper(found.get("default_currency")),
        currencies=sorted({str(each["currency"]).upper() for each in banks if "currency" in each}),
        requirements=list(dict.fromkeys(due)),
        restriction="" if state is not AccountState.RESTRICTED else _in_words([disabled]),
    )


def _upper(value: object) -> str | None:
    return str(value).upper() if value else None


def _in_words(codes: list[str]) -> str:
    known = [
        _REASONS.get(code, code.replace("_", " ").replace(".", ", ")) for code in codes if code
    ]
    return "; ".join(dict.fromkeys(known))[:300] or "Stripe does not say why"


def account_of(organization_id: int) -> ConnectedAccount | None:
    """The partner's present account."""
    return db.session.scalar(
        select(ConnectedAccount).where(
            ConnectedAccount.organization_id == organization_id,
            ConnectedAccount.disconnected_at.is_(None),
        )
    )


def open_account(
    organization_id: int, *, name: str, email: str, country: str, by_user_id: int
) -> ConnectedAccount:
    """The partner's account, made at Stripe when there is none. `country` is ISO 3166, two letters.

    Commits; call it with nothing of your own in the transaction. Two clicks make one account: the
    idempotency key is that of the partner's nth account and of how often it was refused. What was
    begun is gone on with as it was asked for, whoever goes on. Raises UnavailableError when Stripe
    does not answer, ConflictError with Stripe's words when it refuses.
    """
    if not has_stripe():
        raise UnavailableError("Payouts are not set up on this site yet.")
    with unit_of_work():
        existing = account_of(organization_id)
        number = 1 + (
            db.session.scalar(
                select(func.count()).where(ConnectedAccount.organization_id == organization_id)
            )
            or 0
        )
    if existing is not None:
        return existing
    api, found = _create(
        f"account:{organization_id}:{number}", organization_id, name, email, country
    )
    with unit_of_work():
        row_id = insert_if_new(
            ConnectedAccount,
            organization_id=organization_id,
            stripe_id=found["id"],
            api=api,
            state=AccountState.ONBOARDING,
            country=country,
            currencies=[],
            requirements=[],
            restriction="",
            created_by_id=by_user_id,
        )
        if row_id is not None:
            record_fact(
                "payout_account.opened",
                subject=("connected_account", row_id),
                organization_id=organization_id,
                actor_user_id=by_user_id,
                data={"stripe_id": found["id"], "api": api},
            )
    account = account_of(organization_id)
    if account is None:
        raise ConflictError("The account was disconnected meanwhile. Try again.")
    return account


def _create(
    stem: str, organization_id: int, name: str, email: str, country: str
) -> tuple[str, JsonDict]:
    metadata = {"organization": str(organization_id)}
    v2: JsonDict = {
        "contact_email": email,
        "display_name": name,
        "dashboard": "express",
        "identity": {"country": country.lower()},
        "configuration": {
            "recipient": {
                "capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}
            }
        },
        "defaults": {
            "responsibilities": {"fees_collector": "application", "losses_collector": "application"}
        },
        "include": list(_V2_PARTS),
        "metadata": metadata,
    }
    v1: JsonDict = {
        "email": email,
        "country": country,
        "business_profile": {"name": name},
        "controller": {
            "fees": {"payer": "application"},
            "losses": {"payments": "application"},
            "requirement_collection": "stripe",
            "stripe_dashboard": {"type": "express"},
        },
        "capabilities": {"transfers": {"requested": True}},
        "metadata": metadata,
    }
    begun = _begun(stem)
    ways = {"v2": ("v2.core.accounts.create", v2), "v1": ("accounts.create", v1)}
    if begun is not None and begun.method == ways["v1"][0]:
        del ways["v2"]
    refusal = ""
    try:
        for api, (method, body) in ways.items():
            try:
                if begun is not None and begun.method == method:
                    return api, _go_on(begun)
                return api, _ask(_key(stem, api), method, body)
            except StripeRejectedError as error:
                # The platform may not have version 2 yet; what is wrong with the data, version 1
                # says as well.
                log.warning("no account", extra={"api": api, "code": error.code})
                refusal = error.message
    except OperationConflictError as error:
        raise UnavailableError("Somebody else opens it just now. Try again in a minute.") from error
    except (StripeUnknownError, StripeBusyError) as error:
        raise UnavailableError("Stripe does not answer just now. Try again in a minute.") from error
    raise ConflictError(f"Stripe refused: {refusal}")


def _begun(stem: str) -> StripeOperation | None:
    """What was asked for already, and may be there or come."""
    found = db.session.scalar(
        select(StripeOperation)
        .where(
            StripeOperation.idem_key.startswith(f"{stem}:", autoescape=True),
            StripeOperation.state != OperationState.REJECTED,
        )
        .order_by(StripeOperation.id)
        .limit(1)
        .execution_options(populate_existing=True)
    )
    if found is not None:
        db.session.expunge(found)
    db.session.rollback()
    return found


def _key(stem: str, api: str) -> str:
    """A key of its own for each try that Stripe refused: it would only refuse it again."""
    refused = db.session.scalar(
        select(func.count())
        .select_from(StripeOperation)
        .where(
            StripeOperation.idem_key.startswith(f"{stem}:{api}:", autoescape=True),
            StripeOperation.state == OperationState.REJECTED,
        )
    )
    db.session.rollback()
    return f"{stem}:{api}:{refused or 0}"


def _go_on(begun: StripeOperation) -> JsonDict:
    if begun.state is OperationState.SUCCEEDED:
        return gateway().retrieve(begun.method.rpartition(".")[0], begun.stripe_id or "")
    return _ask(begun.idem_key, begun.method, begun.request)


def _ask(key: str, method: str, body: JsonDict) -> JsonDict:
    """Ask for an account, marked with its key so that it is found when the answer was lost."""
    marked = {**body, "metadata": {**body["metadata"], "key": key}}

    def find() -> JsonDict | None:
        for each in gateway().pages(method.rpartition(".")[0]):
            if (each.get("metadata") or {}).get("key") == key:
                return each
        return None

    return perform(key, method, marked, find=find)


def onboarding_link(account: ConnectedAccount, *, return_url: str, refresh_url: str) -> str:
    """A fresh address of Stripe's pages for this account. It works once and for minutes only:
    `refresh_url` makes the next one. Absolute URLs. Raises UnavailableError, ConflictError."""
    if account.api == "v2":
        params: JsonDict = {
            "account": account.stripe_id,
            "use_case": {
                "type": "account_onboarding",
                "account_onboarding": {"refresh_url": refresh_url, "return_url": return_url},
            },
        }
        return _minted("v2.core.account_links.create", params)
    return _minted(
        "account_links.create",
        {
            "account": account.stripe_id,
            "type": "account_onboarding",
            "refresh_url": refresh_url,
            "return_url": return_url,
        },
    )


def dashboard_link(account: ConnectedAccount) -> str:
    """A fresh address of the partner's own dashboard at Stripe, where its bank details are."""
    return _minted("accounts.login_links.create", {"id": account.stripe_id})


def _minted(method: str, params: JsonDict) -> str:
    # A link is used up by one visit, so each gets a key of its own and nothing is kept of it.
    try:
        return str(gateway().call(method, params, idem_key=f"link:{secrets.token_hex(16)}")["url"])
    except StripeRejectedError as error:
        raise ConflictError(f"Stripe refused: {error.message}") from error
    except StripeError as error:
        raise UnavailableError("Stripe does not answer just now. Try again in a minute.") from error


def refresh_account(stripe_id: str) -> ConnectedAccount | None:
    """Ask Stripe what the account can do now and write it down; None for one that is not ours.

    Commits; call it with nothing of your own in the transaction. Raises StripeUnknownError and
    StripeBusyError; an account that is gone is marked as disconnected.
    """
    with unit_of_work():
        row = db.session.scalar(
            select(ConnectedAccount).where(ConnectedAccount.stripe_id == stripe_id)
        )
        if row is None:
            return None
        api, was_ready = row.api, row.state in (AccountState.READY, AccountState.RESTRICTED)
    try:
        if api == "v2":
            found = gateway().retrieve("v2.core.accounts", stripe_id, expand=_V2_PARTS)
            facts = facts_of_v2(found, was_ready=was_ready)
        else:
            found = gateway().retrieve("accounts", stripe_id)
            facts = facts_of_v1(found, was_ready=was_ready)
    except StripeAccountError:
        facts = AccountFacts(AccountState.DISCONNECTED)
    except StripeRejectedError as error:
        if error.status != 404:
            raise
        facts = AccountFacts(AccountState.DISCONNECTED)
    with unit_of_work():
        return write_facts(stripe_id, facts)


def write_facts(stripe_id: str, facts: AccountFacts) -> ConnectedAccount | None:
    """Keep what Stripe says of one of our accounts."""
    row = lock_row(ConnectedAccount, ConnectedAccount.stripe_id == stripe_id)
    if row is None:
        return None
    before = row.state
    if row.state is AccountState.DISCONNECTED:
        return row
    row.state, row.checked_at = facts.state, clock.now()
    row.requirements, row.restriction = facts.requirements, facts.restriction
    row.currencies = facts.currencies
    row.country = facts.country or row.country
    row.default_currency = facts.default_currency or row.default_currency
    if facts.state is AccountState.DISCONNECTED:
        row.disconnected_at = clock.now()
    db.session.flush()
    if before is not row.state:
        record_fact(
            f"payout_account.{row.state.value}",
            subject=("connected_account", row.id),
            organization_id=row.organization_id,
            data={"stripe_id": stripe_id, "restriction": row.restriction},
        )
    return row


def disconnect(account: ConnectedAccount, *, by_user_id: int | None, why: str = "") -> None:
    """Pay nothing to this account any more; the partner may open another one. Flushes."""
    locked = lock_row(ConnectedAccount, ConnectedAccount.id == account.id)
    if locked is None or locked.disconnected_at is not None:
        return
    account.state, account.disconnected_at = AccountState.DISCONNECTED, clock.now()
    account.restriction = why[:300]
    db.session.flush()
    record_fact(
        "payout_account.disconnected",
        subject=("connected_account", account.id),
        organization_id=account.organization_id,
        actor_user_id=by_user_id,
        data={"stripe_id": account.stripe_id, "why": why},
    )


def refresh_later(stripe_id: str) -> None:
    """Let a worker ask about it after the commit."""
    enqueue(REFRESH, {"stripe_id": stripe_id}, dedupe_key=f"{REFRESH}:{stripe_id}")


@job_handler(REFRESH)
def _refresh(payload: Payload) -> None:
    try:
        refresh_account(payload["stripe_id"])
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error


@periodic("connect.check", every=timedelta(hours=1))
def check_accounts(_payload: Payload) -> None:
    """Ask about what nobody told us of for a day, 200 at a time: an event may be lost."""
    if not has_stripe():
        return
    stale = clock.now() - CHECK_EVERY
    for stripe_id in db.session.scalars(
        select(ConnectedAccount.stripe_id)
        .where(
            ConnectedAccount.disconnected_at.is_(None),
            or_(ConnectedAccount.checked_at.is_(None), ConnectedAccount.checked_at < stale),
        )
        .order_by(ConnectedAccount.checked_at, ConnectedAccount.id)
        .limit(200)
    ).all():
        refresh_later(stripe_id)
