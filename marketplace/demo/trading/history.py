"""The hundred days, one after another: sales, refunds, disputes, payouts, the months' closes."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from billing.accounts import PARTNER_HELD, PARTNER_PAYABLE
from billing.affiliates.attributing import attribute
from billing.affiliates.clicks import find_link, record_click, touches_of_click
from billing.bank_files.importing import import_bank_file
from billing.checkout import open_checkout
from billing.connect import open_account
from billing.ledger import balances_of
from billing.models import LedgerAccount, Order, ResellerAgreement
from billing.orders import place_resale_order
from billing.payouts.approving import approve
from billing.payouts.canceling import abort
from billing.payouts.computing import compute, start_run
from billing.payouts.digest import digest_of
from billing.payouts.executing import execute
from billing.periods import checklist, close_period, may_close
from billing.profiles import buyer_of
from billing.reconciliation.runs import begin as begin_reconciliation
from billing.reconciliation.runs import go_on
from billing.refund_requests import ask_for_refund
from billing.resale.quotes import QuoteTerms, accept_quote, draft_quote, send_quote
from billing.sandbox_stripe import accounts, balance, checkout, disputes, payouts
from billing.sandbox_stripe.bank import as_csv, bookings
from billing.settlement.refunds import request_refund
from billing.settlement.release import release_due
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.trading.offers import Market
from marketplace.demo.trading.stand_in import StandIn
from marketplace.sales.shop import buying

log = logging.getLogger(__name__)
Row = Mapping[str, Any]
Verb = Callable[[Row], None]
DAYS = 100
ADDRESS = "http://127.0.0.1/demo"
CARD = "4242424242424242"
# Days of the month on which finance does its work.
RUN_DAY, BANK_DAY, CLOSE_DAY, ODD_DAY = 4, 7, 9, 15
BUSY_DAYS = {RUN_DAY, RUN_DAY + 1, BANK_DAY, CLOSE_DAY, ODD_DAY}


class History:
    """The trade of the demo. Each verb commits what it does."""

    def __init__(self, market: Market, stripe: StandIn, finance: str, admin: str) -> None:
        self.market, self.stripe = market, stripe
        self.orders: dict[str, int] = {}
        with unit_of_work():
            self.finance, self.admin = market.person(finance), market.person(admin)

    def live(self) -> None:
        """All days from DAYS ago until now."""
        planned: dict[int, list[tuple[Verb, Row]]] = {}
        verbs: dict[str, Verb] = {
            "sales": self._sell,
            "quotes": self._resell,
            "refunds": self._refund,
            "requests": self._ask,
            "disputes": self._dispute,
            "decisions": self._decide,
        }
        for name, verb in verbs.items():
            for row in self.market.trading[name]:
                planned.setdefault(int(row["days_ago"]), []).append((verb, row))
        days = 0
        for days_ago in range(DAYS - 1, -1, -1):
            days += 1
            day = (clock.now() + timedelta(days=days)).day
            # On a day without anything to do, renewals can wait for the next.
            if days_ago and days_ago not in planned and day not in BUSY_DAYS and days < 4:
                continue
            self.stripe.pass_time(timedelta(days=days))
            days = 0
            for verb, row in planned.get(days_ago, []):
                verb(row)
                self.stripe.settle()
            self._work_of_finance(clock.now(), days_ago)
        self._reconcile()

    def onboard(self) -> None:
        """The partners that have a Stripe account. Stripe asks nothing more of them."""
        for slug in self.market.trading["onboarded"]:
            organization = self.market.organization(slug)
            account = open_account(
                organization.id,
                name=organization.name,
                email=f"money@{slug}.example",
                country=organization.country or "DE",
                by_user_id=self.market.actor_of(organization).user_id or 0,
            )
            stripe_id = account.stripe_id
            db.session.rollback()
            store = self.stripe.store
            with store.transaction():
                accounts.finish_onboarding(store, accounts.get_account(store, stripe_id))
        self.stripe.settle()

    # --- customers -------------------------------------------------------------------------------

    def _sell(self, row: Row) -> None:
        with unit_of_work():
            organization = self.market.organization(row["buyer"])
            actor = self.market.actor_of(organization)
            plan = self.market.plan(row["plan"])
            if row.get("via"):
                self._click(row["via"], organization.id, row.get("sub_id", ""))
            shown = buying.offer(
                organization,
                plan,
                buyer_of(organization.id, actor.user_id),
                currency=row.get("currency", "EUR"),
                quantity=int(row.get("quantity", 1)),
                code=row.get("code", ""),
            )
            order = buying.begin(actor, organization, self._listing(row), shown)
            order_id, slug = order.id, organization.slug
        if "name" in row:
            self.orders[row["name"]] = order_id
        self._pay(order_id, slug, row.get("card", CARD))

    def _resell(self, row: Row) -> None:
        with unit_of_work():
            plan = self.market.plan(row["plan"])
            customer = self.market.organization(row["buyer"])
            agreement = db.session.scalars(
                select(ResellerAgreement).where(ResellerAgreement.plan_id == plan.id)
            ).one()
            seller = self.market.actor_of(self.market.organization(row["reseller"]))
            terms = QuoteTerms(
                row["unit_amount"],
                int(row.get("quantity", 1)),
                clock.now() + timedelta(days=30),
                row.get("message", ""),
            )
            made = draft_quote(agreement, customer.id, terms, by_user_id=seller.user_id)
            send_quote(made, by_user_id=seller.user_id)
            if not row.get("accepted", True):
                return
            buyer = self.market.actor_of(customer)
            accept_quote(made, by_user_id=buyer.user_id)
            details = buyer_of(customer.id, buyer.user_id)
            order = place_resale_order(
                made,
                user_id=buyer.user_id,
                description=buying.describe(self._listing(row), plan),
                billing_details=dict(details.billing_details),
                country=details.country,
                tax_id=details.tax_id,
            )
            order_id, slug = order.id, customer.slug
        self._pay(order_id, slug, CARD)

    def _listing(self, row: Row) -> Listing:
        return self.market.listing(row["plan"].partition("/")[0])

    def _pay(self, order_id: int, slug: str, card: str) -> None:
        url = open_checkout(order_id, success_url=ADDRESS, cancel_url=ADDRESS)
        session_id = url.rstrip("/").rpartition("/")[2].partition("?")[0].partition("#")[0]
        store = self.stripe.store
        with store.transaction():
            session = store.get("checkout.session", session_id)
            checkout.complete(store, session, card, f"accounts@{slug}.example")

    def _click(self, code: str, organization_id: int, sub_id: str) -> None:
        link = find_link(code)
        if link is None:
            raise ValueError(f"trading.json: there is no link {code}")
        click = record_click(
            link,
            visitor_hash=None,
            address_hash="",
            sub_id=sub_id,
            referrer_host="",
            bot=False,
        )
        attribute(organization_id, touches_of_click(click.id))

    # --- what goes back --------------------------------------------------------------------------

    def _order(self, name: str) -> Order:
        return db.session.get_one(Order, self.orders[name])

    def _refund(self, row: Row) -> None:
        with unit_of_work():
            order = self._order(row["order"])
            request_refund(
                order,
                order.total * int(row["percent"]) // 100,
                reason=row["reason"],
                by_user_id=self.finance.user_id,
            )

    def _ask(self, row: Row) -> None:
        with unit_of_work():
            order = self._order(row["order"])
            amount = order.total * int(row["percent"]) // 100
            ask_for_refund(order, amount, row["text"], by_user_id=order.placed_by_id or 0)

    def _dispute(self, row: Row) -> None:
        with unit_of_work():
            charge = self._order(row["order"]).charge_id
        store = self.stripe.store
        with store.transaction():
            disputes.open_dispute(store, store.get("charge", charge), reason=row["reason"])

    def _decide(self, row: Row) -> None:
        with unit_of_work():
            charge = self._order(row["order"]).charge_id
        store = self.stripe.store
        with store.transaction():
            for found in store.all("dispute"):
                if found["charge"] == charge:
                    disputes.decide(store, found, won=row["won"])

    # --- finance ---------------------------------------------------------------------------------

    def _work_of_finance(self, now: datetime, days_ago: int) -> None:
        with unit_of_work():
            release_due()
        self.stripe.settle()
        # The newest full month is left for whoever tries the demo: its statement, its close.
        today = now + timedelta(days=days_ago)
        months_ago = (today.year - now.year) * 12 + today.month - now.month
        if now.day == RUN_DAY:
            self._pay_partners()
        if now.day == RUN_DAY + 1:
            self._send_to_bank()
        if now.day == ODD_DAY and months_ago:
            self._something_odd(is_known=months_ago > 1)
        if now.day in (BANK_DAY, CLOSE_DAY):
            self._reconcile()
        if now.day == BANK_DAY and months_ago:
            self._import_statement()
        if now.day == CLOSE_DAY and months_ago:
            self._close_month(now)

    def _pay_partners(self) -> None:
        try:
            with unit_of_work():
                run_id = start_run(self.finance.user_id).id
        except ConflictError:
            return
        with unit_of_work():
            compute(run_id)
        try:
            with unit_of_work():
                approve(run_id, by_user_id=_id(self.admin), digest=digest_of(run_id))
            with unit_of_work():
                execute(run_id, by_user_id=self.finance.user_id)
        except ConflictError:
            # In the first month nothing is released yet.
            with unit_of_work():
                abort(run_id, by_user_id=_id(self.finance), reason="Nobody is due yet.")
        self.stripe.settle()

    def _send_to_bank(self) -> None:
        """What is not owed to partners, so that the next run finds its money at Stripe."""
        store = self.stripe.store
        with store.transaction():
            currencies = [row[0] for row in store.execute("SELECT currency FROM balance")]
        for currency in sorted(set(currencies)):
            with unit_of_work():
                owed = _owed_to_partners(currency.upper())
            with store.transaction():
                amount = balance.balances(store, "", currency)[1] - owed
                if amount > 0:
                    payouts.new_payout(store, amount, currency, automatic=False)
        self.stripe.settle()

    def _import_statement(self) -> None:
        for currency in ("EUR", "USD"):
            with self.stripe.store.transaction():
                rows = bookings(self.stripe.store, currency)
            if rows:
                with unit_of_work():
                    import_bank_file(
                        as_csv(rows),
                        f"statement-{currency.lower()}-{clock.now():%Y-%m}.csv",
                        currency=currency,
                        by_user_id=self.finance.user_id,
                    )

    def _something_odd(self, *, is_known: bool) -> None:
        """Stripe takes its monthly fee, or something that somebody will have to explain."""
        kind, amount, words = (
            ("stripe_fee", -200, "Connect, monthly")
            if is_known
            else ("adjustment", -310, "Network adjustment")
        )
        with self.stripe.store.transaction():
            balance.book(self.stripe.store, kind, amount, "eur", None, description=words)

    def _reconcile(self) -> None:
        with unit_of_work():
            run_id = begin_reconciliation(self.finance.user_id)
        go_on(run_id)

    def _close_month(self, now: datetime) -> None:
        month = (now.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
        with unit_of_work():
            missing = not may_close(checklist(month))
        if missing:
            log.info("%s of the demo stays open", month)
            return
        with unit_of_work():
            close_period(month, by_user_id=self.finance.user_id)


def _owed_to_partners(currency: str) -> int:
    owners = list(
        db.session.scalars(
            select(LedgerAccount.owner)
            .where(LedgerAccount.currency == currency, LedgerAccount.owner != 0)
            .distinct()
        )
    )
    return sum(
        sum(balances_of(code, currency, owners).values())
        for code in (PARTNER_HELD, PARTNER_PAYABLE)
    )


def _id(actor: Actor) -> int:
    if actor.user_id is None:
        raise ValueError("nobody")
    return actor.user_id


def has_traded() -> bool:
    """Whether anything was ever sold here."""
    return bool(db.session.scalar(select(func.count()).select_from(Order).limit(1)))
