"""Connected accounts, in the shapes of version 1 and version 2, and their links.

One record serves both. A new account may receive nothing until its onboarding page was finished.
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from billing.sandbox_stripe.endpoints import (
    Call,
    copy_metadata,
    endpoint,
    listing,
    page_of,
)
from billing.sandbox_stripe.errors import ApiError, invalid
from billing.sandbox_stripe.events import emit, emit_thin
from billing.sandbox_stripe.store import Store, Thing, timestamp
from marketplace.core import clock

LINK_LIVES = timedelta(minutes=5)
_FIRST_REQUIREMENTS = ["external_account", "individual.verification", "tos_acceptance.date"]
_EURO = frozenset(
    ("AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK").split()  # noqa: SIM905 - shorter
)
_CURRENCIES = {
    "US": "usd", "GB": "gbp", "HU": "huf", "TW": "twd", "IS": "isk", "UG": "ugx", "JP": "jpy",
    "CH": "chf", "SE": "sek", "DK": "dkk", "NO": "nok", "PL": "pln", "CZ": "czk", "CA": "cad",
    "AU": "aud", "KW": "kwd",
}  # fmt: skip


def may_receive(account: Thing) -> bool:
    """Whether transfers to it are accepted."""
    return bool(account["capabilities"].get("transfers") == "active")


def get_account(store: Store, account_id: str, param: str = "id") -> Thing:
    """The account. Raises ApiError when it does not exist or no longer lets us act for it."""
    account = store.find(account_id, "account")
    if account is None or account["_deauthorized"]:
        raise ApiError(
            403 if param == "id" else 400,
            f"The provided key does not have access to account '{account_id}' (or that account "
            "does not exist). Application access may have been revoked.",
            code="account_invalid",
            param="" if param == "id" else param,
        )
    return account


def set_state(
    store: Store,
    account: Thing,
    *,
    transfers: str,
    payouts: bool,
    due: list[str],
    disabled_reason: str | None = None,
    submitted: bool = True,
) -> Thing:
    """Let an account be as told, and tell of it in both versions' events."""
    account["capabilities"] = dict.fromkeys(account["capabilities"], transfers) or {}
    account["payouts_enabled"] = payouts
    account["details_submitted"] = submitted
    account["requirements"] = _requirements(due, disabled_reason)
    if payouts and not account["external_accounts"]["data"]:
        account["external_accounts"]["data"] = [_bank_account(account)]
    store.save(account)
    emit(store, "account.updated", account, account=account["id"])
    if account["_version"] == 2:
        emit_thin(store, "v2.core.account[requirements].updated", account, account["id"])
        emit_thin(
            store,
            "v2.core.account[configuration.recipient].capability_status_updated",
            account,
            account["id"],
        )
    return account


def finish_onboarding(store: Store, account: Thing) -> Thing:
    """The partner told Stripe all that it asked for."""
    return set_state(store, account, transfers="active", payouts=True, due=[])


def restrict(store: Store, account: Thing, reason: str = "requirements.past_due") -> Thing:
    """Stripe wants to know more before it sends anything again."""
    return set_state(
        store,
        account,
        transfers="inactive",
        payouts=False,
        due=["individual.verification.document"],
        disabled_reason=reason,
    )


def deauthorize(store: Store, account: Thing) -> Thing:
    """The account's owner takes our access away."""
    account["_deauthorized"] = True
    store.save(account)
    application = {"id": "ca_sandbox", "object": "application", "name": "Portico"}
    emit(store, "account.application.deauthorized", application, account=account["id"])
    return account


def _bank_account(account: Thing) -> Thing:
    return {
        "id": f"ba_{secrets.token_hex(12)}",
        "object": "bank_account",
        "account": account["id"],
        "bank_name": "STRIPE TEST BANK",
        "country": account["country"],
        "currency": account["default_currency"],
        "default_for_currency": True,
        "last4": "3000",
        "status": "new",
    }


def _requirements(due: list[str], disabled_reason: str | None) -> dict[str, Any]:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": due,
        "disabled_reason": disabled_reason,
        "errors": [],
        "eventually_due": due,
        "past_due": due if disabled_reason else [],
        "pending_verification": [],
    }


def _new(store: Store, version: int, values: dict[str, Any]) -> Thing:
    country = str(values.get("country") or "US").upper()
    currency = values.get("currency") or _CURRENCIES.get(
        country, "eur" if country in _EURO else "usd"
    )
    account_id = f"acct_{secrets.token_hex(8)}"
    account = store.add(
        "account",
        "acct",
        {
            "business_profile": values.get("business_profile") or {},
            "business_type": values.get("business_type"),
            "capabilities": dict.fromkeys(values["capabilities"], "inactive"),
            "charges_enabled": False,
            "controller": values["controller"],
            "country": country,
            "default_currency": currency,
            "details_submitted": False,
            "email": values.get("email"),
            "external_accounts": {
                "object": "list",
                "data": [],
                "has_more": False,
                "url": f"/v1/accounts/{account_id}/external_accounts",
            },
            "future_requirements": _requirements([], None),
            "metadata": values.get("metadata") or {},
            "payouts_enabled": False,
            "requirements": _requirements(list(_FIRST_REQUIREMENTS), "requirements.past_due"),
            "settings": {"payouts": {"schedule": {"interval": "daily", "delay_days": 2}}},
            "type": values.get("type", "none"),
            "_version": version,
            "_deauthorized": False,
            "_display_name": values.get("display_name"),
            "_dashboard": values.get("dashboard", "express"),
        },
        thing_id=account_id,
    )
    emit(store, "account.updated", account, account=account_id)
    return account


@endpoint("accounts.create", "POST", "/v1/accounts", "AccountCreateParams")
def _create(call: Call) -> Thing:
    params = call.params
    if params.get("type") and params.get("controller"):
        raise invalid("You may not specify both `type` and `controller`.", "type")
    capabilities = [
        name for name, wish in (params.get("capabilities") or {}).items() if wish.get("requested")
    ]
    controller = params.get("controller") or {}
    return _new(
        call.store,
        1,
        {
            **{name: params.get(name) for name in (
                "country", "email", "metadata", "business_type", "business_profile")},
            "currency": params.get("default_currency"),
            "capabilities": capabilities,
            "type": params.get("type", "none"),
            "dashboard": controller.get("stripe_dashboard", {}).get("type", "express"),
            "controller": {
                "type": "application",
                "is_controller": True,
                "fees": controller.get("fees", {"payer": "application"}),
                "losses": controller.get("losses", {"payments": "application"}),
                "requirement_collection": controller.get("requirement_collection", "stripe"),
                "stripe_dashboard": controller.get("stripe_dashboard", {"type": "express"}),
            },
        },
    )  # fmt: skip


@endpoint("accounts.retrieve", "GET", "/v1/accounts/{id}", "AccountRetrieveParams")
def _retrieve(call: Call) -> Thing:
    return get_account(call.store, call.id)


@endpoint("accounts.retrieve_current", "GET", "/v1/account", "AccountRetrieveCurrentParams")
def _current(call: Call) -> Thing:
    if call.account:
        return get_account(call.store, call.account)
    return {"id": "acct_platform", "object": "account", "country": "DE",
            "default_currency": "eur", "charges_enabled": True, "payouts_enabled": True,
            "details_submitted": True}  # fmt: skip


@endpoint("accounts.update", "POST", "/v1/accounts/{id}", "AccountUpdateParams")
def _update(call: Call) -> Thing:
    account = get_account(call.store, call.id)
    copy_metadata(account, call.params)
    for name in ("email", "business_profile", "business_type", "default_currency"):
        if name in call.params:
            account[name] = call.params[name]
    for name, wish in (call.params.get("capabilities") or {}).items():
        if wish.get("requested"):
            account["capabilities"].setdefault(name, "pending")
    call.store.save(account)
    emit(call.store, "account.updated", account, account=account["id"])
    return account


@endpoint("accounts.delete", "DELETE", "/v1/accounts/{id}", "AccountDeleteParams")
def _delete(call: Call) -> Thing:
    account = deauthorize(call.store, get_account(call.store, call.id))
    return {"id": account["id"], "object": "account", "deleted": True}


def _new_link(call: Call, account: Thing, refresh_url: str, return_url: str | None) -> Thing:
    expires = clock.now() + LINK_LIVES
    return call.store.add(
        "account_link",
        "alink",
        {
            "_account": account["id"],
            "_refresh_url": refresh_url,
            "_return_url": return_url or refresh_url,
            "_used": False,
            "expires_at": int(expires.timestamp()),
        },
    )


@endpoint("account_links.create", "POST", "/v1/account_links", "AccountLinkCreateParams")
def _link(call: Call) -> Thing:
    params = call.params
    account = get_account(call.store, str(params["account"]), "account")
    if params["type"] not in {"account_onboarding", "account_update"}:
        raise invalid("Invalid type", "type")
    if not params.get("refresh_url") or not params.get("return_url"):
        raise invalid("You must provide refresh_url and return_url.", "refresh_url")
    link = _new_link(call, account, params["refresh_url"], params["return_url"])
    return {
        "object": "account_link",
        "created": timestamp(),
        "expires_at": link["expires_at"],
        "url": f"{call.base_url}/onboarding/{link['id']}",
    }


@endpoint("accounts.login_links.create", "POST", "/v1/accounts/{id}/login_links",
          "AccountLoginLinkCreateParams")  # fmt: skip
def _login_link(call: Call) -> Thing:
    account = get_account(call.store, call.id)
    if account["_dashboard"] != "express":
        raise invalid("Cannot create a login link for an account without the Express Dashboard.")
    if not account["details_submitted"]:
        raise invalid(
            "Cannot create a login link for an account that has not completed onboarding."
        )
    return {
        "object": "login_link",
        "created": timestamp(),
        "url": f"{call.base_url}/express/{account['id']}",
    }


listing("accounts", "/v1/accounts", "account", "AccountListParams")


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def as_version_two(account: Thing, include: list[str]) -> Thing:
    """The account as version 2 has it; what was not asked for is null."""
    status = account["capabilities"].get("transfers", "inactive")
    status = {"active": "active", "pending": "pending"}.get(status, "restricted")
    due = account["requirements"]["currently_due"]
    past = bool(account["requirements"]["disabled_reason"])
    details = []
    if status != "active":
        details = [{"code": "requirements_past_due", "resolution": "provide_info"}]
    configuration: dict[str, Any] | None = None
    if "configuration.recipient" in include:
        capability = {"status": status, "status_details": details}
        configuration = {
            "customer": None,
            "merchant": None,
            "recipient": {
                "applied": True,
                "capabilities": {
                    "stripe_balance": {
                        "stripe_transfers": capability,
                        "payouts": capability,
                    }
                },
            },
        }
    requirements = {
        "entries": [
            {
                "awaiting_action_from": "user",
                "description": name,
                "errors": [],
                "impact": {"restricts_capabilities": []},
                "minimum_deadline": {"status": "past_due" if past else "currently_due"},
                "requested_reasons": [{"code": "routine_onboarding"}],
            }
            for name in due
        ],
        "summary": {"minimum_deadline": {"status": "past_due" if past else "currently_due"}}
        if due
        else None,
    }
    return {
        "id": account["id"],
        "object": "v2.core.account",
        "applied_configurations": ["recipient"],
        "closed": False,
        "configuration": configuration,
        "contact_email": account["email"],
        "created": _iso(account["created"]),
        "dashboard": account["_dashboard"],
        "defaults": {"currency": account["default_currency"], "locales": None}
        if "defaults" in include
        else None,
        "display_name": account["_display_name"],
        "future_requirements": {"entries": [], "summary": None}
        if "future_requirements" in include
        else None,
        "identity": {"country": account["country"].lower(), "entity_type": None}
        if "identity" in include
        else None,
        "livemode": False,
        "metadata": account["metadata"],
        "requirements": requirements if "requirements" in include else None,
    }


@endpoint("v2.core.accounts.create", "POST", "/v2/core/accounts", "v2.core.AccountCreateParams")
def _create_two(call: Call) -> Thing:
    params = call.params
    recipient = (params.get("configuration") or {}).get("recipient") or {}
    wished = (recipient.get("capabilities") or {}).get("stripe_balance") or {}
    account = _new(
        call.store,
        2,
        {
            "country": (params.get("identity") or {}).get("country"),
            "currency": (params.get("defaults") or {}).get("currency"),
            "email": params.get("contact_email"),
            "metadata": params.get("metadata"),
            "display_name": params.get("display_name"),
            "dashboard": params.get("dashboard", "none"),
            "capabilities": ["transfers"]
            if wished.get("stripe_transfers", {}).get("requested")
            else [],
            "controller": {
                "type": "application",
                "is_controller": True,
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "requirement_collection": "stripe",
                "stripe_dashboard": {"type": params.get("dashboard", "none")},
            },
        },
    )
    return as_version_two(account, params.get("include", []))


@endpoint("v2.core.accounts.retrieve", "GET", "/v2/core/accounts/{id}",
          "v2.core.AccountRetrieveParams")  # fmt: skip
def _retrieve_two(call: Call) -> Thing:
    return as_version_two(get_account(call.store, call.id), call.params.get("include", []))


@endpoint("v2.core.accounts.update", "POST", "/v2/core/accounts/{id}",
          "v2.core.AccountUpdateParams")  # fmt: skip
def _update_two(call: Call) -> Thing:
    account = get_account(call.store, call.id)
    copy_metadata(account, call.params)
    if "contact_email" in call.params:
        account["email"] = call.params["contact_email"]
    if "display_name" in call.params:
        account["_display_name"] = call.params["display_name"]
    call.store.save(account)
    emit(call.store, "account.updated", account, account=account["id"])
    return as_version_two(account, call.params.get("include", []))


@endpoint("v2.core.accounts.list", "GET", "/v2/core/accounts", "v2.core.AccountListParams")
def _list_two(call: Call) -> dict[str, Any]:
    found = page_of(call, "account", "/v2/core/accounts")
    return {
        "data": [as_version_two(each, []) for each in found["data"]],
        "next_page_url": None,
        "previous_page_url": None,
    }


@endpoint("v2.core.account_links.create", "POST", "/v2/core/account_links",
          "v2.core.AccountLinkCreateParams")  # fmt: skip
def _link_two(call: Call) -> Thing:
    use = call.params["use_case"]
    details = use.get(use["type"])
    if not details:
        raise invalid(f"use_case.{use['type']} is required", "use_case")
    account = get_account(call.store, str(call.params["account"]), "account")
    link = _new_link(call, account, details["refresh_url"], details.get("return_url"))
    return {
        "object": "v2.core.account_link",
        "account": account["id"],
        "created": _iso(link["created"]),
        "expires_at": _iso(link["expires_at"]),
        "livemode": False,
        "url": f"{call.base_url}/onboarding/{link['id']}",
        "use_case": use,
    }
