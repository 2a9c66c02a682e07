"""Pausing and resuming: by the customer, by its policy, by what it is entitled to."""

from collections.abc import Iterable

from marketplace.core import clock
from marketplace.core.errors import ConflictError
from marketplace.core.permissions import Actor
from marketplace.installs.customer.entitlements import may_install
from marketplace.installs.customer.install_policy import PolicyRule, is_blocked
from marketplace.installs.customer.pauses import pause_cause
from marketplace.installs.customer.queries.policies import rules_about
from marketplace.installs.customer.services.recording import lock_installation, record
from marketplace.installs.models import Installation, InstallationState, PauseCause

REASONS = {
    PauseCause.POLICY: "A rule of your organization blocks this app. Remove the rule first.",
    PauseCause.ENTITLEMENT: "Your plan does not include this app at the moment.",
}


def pause(actor: Actor, installation: Installation) -> bool:
    """Refuse its tokens until the customer resumes it; whether that is new.

    What a policy paused stays so. Raises ConflictError when it was uninstalled.
    """
    lock_installation(installation)
    _must_be_installed(installation)
    if installation.state is InstallationState.PAUSED:
        return False
    _set(installation, PauseCause.CUSTOMER, actor.user_id)
    return True


def resume(actor: Actor, installation: Installation) -> bool:
    """Let it work again after the customer paused it; whether that is new.

    Raises ConflictError when it was uninstalled, or when a rule or the plan says no.
    """
    lock_installation(installation)
    _must_be_installed(installation)
    if installation.state is InstallationState.ACTIVE:
        return False
    app = installation.app
    rules = rules_about(installation.organization_id, installation.listing_id, app.publisher_id)
    cause = _cause_now(None, installation, rules)
    if cause is not None:
        raise ConflictError(REASONS[cause])
    _set(installation, None, actor.user_id)
    return True


def settle(
    installation: Installation, rules: Iterable[PolicyRule], user_id: int | None
) -> PauseCause | None:
    """Pause or resume it as the organization's rules and entitlements say now; the cause.

    The organization is locked. What the customer paused by hand stays paused.
    """
    if not installation.is_live:
        return None
    cause = _cause_now(installation.pause_cause, installation, rules)
    if cause is not installation.pause_cause:
        _set(installation, cause, user_id)
    return cause


def _cause_now(
    current: PauseCause | None, installation: Installation, rules: Iterable[PolicyRule]
) -> PauseCause | None:
    return pause_cause(
        current,
        is_blocked=is_blocked(rules, installation.listing_id, installation.app.publisher_id),
        is_entitled=may_install(installation.listing, installation.organization).allowed,
    )


def _set(installation: Installation, cause: PauseCause | None, user_id: int | None) -> None:
    was_active = installation.state is InstallationState.ACTIVE
    installation.pause_cause = cause
    if cause is None:
        installation.state, installation.paused_at = InstallationState.ACTIVE, None
        record(installation, "resumed", user_id)
    else:
        installation.state = InstallationState.PAUSED
        installation.paused_at = clock.now()
        # Another cause for the same pause is nothing new to the partner.
        record(
            installation,
            "paused",
            user_id,
            tells_partner=was_active,
            data={"cause": cause.value},
            event={"cause": cause.value},
        )


def _must_be_installed(installation: Installation) -> None:
    if not installation.is_live:
        raise ConflictError("It was uninstalled. Install it again from its listing.")
