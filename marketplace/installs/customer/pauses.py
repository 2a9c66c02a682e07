"""Why an installation is paused, decided purely."""

from marketplace.installs.models import PauseCause


def pause_cause(
    current: PauseCause | None, *, is_blocked: bool, is_entitled: bool
) -> PauseCause | None:
    """The cause for which an installation must be paused now, None when it may run.

    What a customer paused by hand stays so until the customer resumes it, whatever else changes.
    """
    if current is PauseCause.CUSTOMER:
        return PauseCause.CUSTOMER
    if is_blocked:
        return PauseCause.POLICY
    return None if is_entitled else PauseCause.ENTITLEMENT
