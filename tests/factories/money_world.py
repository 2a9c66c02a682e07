"""One of each thing of the money, for tests of who may reach it."""

from datetime import timedelta

from billing.accounts import PARTNER_HELD, STRIPE_PENDING
from billing.ledger import credit, debit, post
from billing.models import (
    Affiliate,
    AffiliateLink,
    AffiliateProgram,
    AffiliateState,
    BalanceConversion,
    BankImport,
    BankLine,
    BankRule,
    BreakType,
    CommissionRule,
    ConvertedSide,
    Discount,
    DiscountKind,
    Dispute,
    DisputeState,
    Earning,
    EarningKind,
    FeeSchedule,
    Funder,
    LedgerTransaction,
    Objection,
    Order,
    OrderLine,
    OrderState,
    Payout,
    PayoutRun,
    Plan,
    PlanBilling,
    PlanState,
    Price,
    PromotionCode,
    QuoteState,
    ReconciliationBreak,
    RefundRequest,
    ResaleQuote,
    ResellerAgreement,
    RunState,
    StripeEvent,
    StripeOperation,
    Subscription,
    SubscriptionState,
    WriteOff,
)
from marketplace.core import clock
from marketplace.core.database import db


def make_money_world(
    *, publisher_id: int, customer_id: int, listing_id: int, customer_user_id: int, user_id: int
) -> dict[str, object]:
    """Rows of the publisher and of the customer; URL values by parameter name."""
    now = clock.now()
    plan = Plan(
        public_id="plan_1", listing_id=listing_id, publisher_id=publisher_id, code="pro",
        name="Pro", billing=PlanBilling.ONE_TIME, state=PlanState.ACTIVE,
    )  # fmt: skip
    discount = Discount(
        public_id="disc_1", publisher_id=publisher_id, name="Autumn", kind=DiscountKind.PERCENT,
        bps=1_000, funder=Funder.PUBLISHER, starts_at=now,
    )  # fmt: skip
    program = AffiliateProgram(public_id="prog_1", publisher_id=publisher_id, name="Friends")
    run = PayoutRun(public_id="run_1", state=RunState.COMPUTED, cutoff_at=now, computed_at=now)
    schedule = FeeSchedule(version=1, name="First")
    bank = BankImport(
        file_name="bank.csv", file_format="csv", sha256="0" * 64, account="x", currency="EUR"
    )
    db.session.add_all([plan, discount, program, run, schedule, bank])
    db.session.flush()
    price = Price(plan_id=plan.id, version=1, currency="EUR", amount=10_000, effective_from=now)
    code = PromotionCode(discount_id=discount.id, publisher_id=discount.publisher_id, code="AUTUMN")
    rule = CommissionRule(program_id=program.id, version=1, effective_from=now, bps=1_000)
    affiliate = Affiliate(
        public_id="aff_1", program_id=program.id, organization_id=publisher_id,
        state=AffiliateState.ACTIVE,
    )  # fmt: skip
    agreement = ResellerAgreement(
        public_id="agr_1", publisher_id=publisher_id, reseller_id=publisher_id,
        listing_id=listing_id, plan_id=plan.id, currency="EUR", floor_amount=8_000,
    )  # fmt: skip
    order = Order(
        public_id="ord_1", state=OrderState.PAID, organization_id=customer_id,
        placed_by_id=customer_user_id, currency="EUR", subtotal=10_000, total=10_000, paid_at=now,
        invoice_number="INV-2026-00001", charge_id="ch_1", payment_intent_id="pi_1",
    )  # fmt: skip
    line_of_bank = BankLine(
        import_id=bank.id, hash="0" * 64, booked_on=now.date(), amount=100, currency="EUR"
    )
    rule_of_bank = BankRule(contains="Rent", reason="Rent", created_by_id=1)
    db.session.add_all([price, code, rule, affiliate, agreement, order, line_of_bank, rule_of_bank])
    db.session.flush()
    link = AffiliateLink(affiliate_id=affiliate.id, code="friends", target="/")
    quote = ResaleQuote(
        public_id="quo_1", agreement_id=agreement.id, reseller_id=publisher_id,
        customer_id=customer_id, currency="EUR", unit_amount=9_000, state=QuoteState.SENT,
        expires_at=now + timedelta(days=30),
    )  # fmt: skip
    subscription = Subscription(
        public_id="sub_1", organization_id=customer_id, listing_id=listing_id, plan_id=plan.id,
        price_id=price.id, currency="EUR", state=SubscriptionState.ACTIVE, stripe_id="sub_x",
    )  # fmt: skip
    line = OrderLine(
        order_id=order.id, description="Pro", listing_id=listing_id, plan_id=plan.id,
        price_id=price.id, publisher_id=publisher_id, unit_amount=10_000, list_amount=10_000,
        net_amount=10_000, total_amount=10_000, publisher_amount=10_000,
    )  # fmt: skip
    request = RefundRequest(
        order_id=order.id, author_id=customer_user_id, amount=100, body="It does not fit."
    )
    dispute = Dispute(
        stripe_id="du_1", order_id=order.id, charge_id="ch_1", amount=10_000, currency="EUR",
        state=DisputeState.OPEN,
    )  # fmt: skip
    payout = Payout(
        public_id="po_1", run_id=run.id, partner_id=publisher_id, currency="EUR", amount=100
    )
    conversion = BalanceConversion(
        partner_id=publisher_id, side=ConvertedSide.PAYABLE, from_currency="BGN",
        to_currency="EUR", amount=196, to_amount=100, rate="1.95583", rate_source="Fixed",
        requested_by_id=customer_user_id,
    )  # fmt: skip
    write_off = WriteOff(
        partner_id=publisher_id,
        currency="EUR",
        amount=100,
        reason="Closed",
        requested_by_id=user_id,
    )
    found = ReconciliationBreak(
        fingerprint="x", type=BreakType.AMOUNT, subject_type="balance_txn", subject_id="txn_1",
        amount=5, currency="EUR", occurred_at=now,
    )  # fmt: skip
    event = StripeEvent(event_id="evt_1", type="x", object_id="y", happened_at=now)
    operation = StripeOperation(idem_key="x", method="transfers.create", request_hash="0" * 64)
    db.session.add_all(
        [
            link,
            quote,
            subscription,
            line,
            request,
            dispute,
            payout,
            write_off,
            conversion,
            found,
            event,
        ]
    )
    db.session.add(operation)
    db.session.flush()
    earning = Earning(
        public_id="earn_1", order_line_id=line.id, order_id=order.id, partner_id=publisher_id,
        kind=EarningKind.PUBLISHER_SHARE, currency="EUR", base=10_000, rate_bps=10_000,
        amount=10_000, release_at=now + timedelta(days=14),
    )  # fmt: skip
    db.session.add(earning)
    db.session.flush()
    objection = Objection(
        earning_id=earning.id, partner_id=publisher_id, author_id=user_id, body="Why is it so?"
    )
    db.session.add(objection)
    txn = post(
        "sale",
        source=("order", order.id),
        key=f"order:{order.id}:paid",
        order_id=order.id,
        legs=[
            debit(STRIPE_PENDING, 10_000, "EUR"),
            credit(PARTNER_HELD, 10_000, "EUR", publisher_id, earning.id),
        ],
    )
    assert isinstance(txn, LedgerTransaction)
    db.session.flush()
    return {
        "plan_id": plan.public_id,
        "discount_id": discount.public_id,
        "code_id": code.id,
        "order_id": order.public_id,
        "subscription_id": subscription.public_id,
        "refund_request_id": request.id,
        "program_id": program.public_id,
        "affiliate_id": affiliate.public_id,
        "link_id": link.id,
        "agreement_id": agreement.public_id,
        "quote_id": quote.public_id,
        "earning_id": earning.public_id,
        "objection_id": objection.id,
        "payout_run_id": run.public_id,
        "payout_id": payout.public_id,
        "write_off_id": write_off.id,
        "conversion_id": conversion.id,
        "schedule_id": schedule.id,
        "dispute_id": dispute.id,
        "txn_id": txn.id,
        "break_id": found.id,
        "bank_import_id": bank.id,
        "bank_line_id": line_of_bank.id,
        "bank_rule_id": rule_of_bank.id,
        "period_code": txn.period.code,
        "stripe_event_id": event.id,
        "operation_id": operation.id,
    }
