"""Days on which a partner's people used the portal."""

from marketplace.core import clock
from marketplace.program.measures import Measure, measure


def measure_activity(organization_id: int) -> None:
    """Somebody of the partner is here: once for each partner and day, in UTC."""
    day = clock.now().date().isoformat()
    measure(
        organization_id,
        Measure.ACTIVITY,
        key=f"{organization_id}:{day}",
        source=("portal_day", day),
    )
