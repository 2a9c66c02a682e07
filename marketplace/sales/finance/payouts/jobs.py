"""What runs without anybody asking: finance people learn of what needs them."""

from datetime import timedelta

from flask import current_app

from billing.payouts.alerts import payout_alerts
from marketplace.core import clock
from marketplace.core.jobs import Payload, periodic
from marketplace.core.mail import send_mail
from marketplace.sales.earnings.mails import finance_staff


@periodic("finance.payout_alerts", every=timedelta(days=1))
def mail_alerts(_payload: Payload) -> None:
    """One mail a day to each, as long as something needs a person; none when nothing does."""
    alerts = payout_alerts()
    if not alerts:
        return
    base = f"{current_app.config['PUBLIC_URL']}/staff/finance/payouts"
    said = "\n\n".join(
        f"{each.title}\n{each.detail}" + (f"\n{base}/{each.run_id}" if each.run_id else "")
        for each in alerts
    )
    today = clock.now().date().isoformat()
    for email in finance_staff():
        send_mail(
            email,
            f"Payouts: {alerts[0].title.lower()}"
            + (f" and {len(alerts) - 1} more" if len(alerts) > 1 else ""),
            f"{said}\n\nAll runs:\n{base}\n\nYou get this because you are on the finance team.\n",
            dedupe_key=f"payout_alerts:{today}:{email}",
        )
