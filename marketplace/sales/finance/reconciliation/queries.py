"""What the pages of reconciliation and of the months show. Only reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from billing.models import (
    BalanceTransaction,
    BankImport,
    BankLine,
    BankRule,
    BreakState,
    BreakType,
    LedgerEntry,
    LedgerTransaction,
    ReconciliationBreak,
    ReconciliationMatch,
    ReconciliationRun,
    StripePayout,
)
from billing.periods import is_period_code
from billing.reconciliation.bank_rules import LineFilter, open_lines
from billing.reconciliation.differences import month_bounds
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role, User

PER_PAGE = 50
MOST_ACCOUNTS = 200
FINANCE_ROLES = (Role.OWNER, Role.ADMIN, Role.FINANCE)


@dataclass(frozen=True)
class BreakFilter:
    """What of the breaks is shown; empty means all."""

    state: str = "open"
    type: str = ""
    currency: str = ""
    month: str = ""
    owner_id: int | None = None


@dataclass(frozen=True)
class Sides:
    """What each of the three sides says of one break."""

    stripe: BalanceTransaction | None = None
    payout: StripePayout | None = None
    transactions: Sequence[LedgerTransaction] = field(default=())
    lines: Sequence[BankLine] = field(default=())
    file: BankImport | None = None


def page_of_breaks(wanted: BreakFilter, page: int) -> Page[ReconciliationBreak]:
    """Breaks, the oldest first; resolved ones the newest first."""
    query = select(ReconciliationBreak).where(ReconciliationBreak.state == wanted.state)
    if wanted.type:
        query = query.where(ReconciliationBreak.type == BreakType(wanted.type))
    if wanted.currency:
        query = query.where(ReconciliationBreak.currency == wanted.currency)
    if wanted.month and is_period_code(wanted.month):
        start, end = month_bounds(wanted.month)
        query = query.where(
            ReconciliationBreak.occurred_at >= start, ReconciliationBreak.occurred_at < end
        )
    if wanted.owner_id is not None:
        query = query.where(ReconciliationBreak.owner_id == wanted.owner_id)
    if wanted.state == BreakState.RESOLVED.value:
        query = query.order_by(ReconciliationBreak.resolved_at.desc(), ReconciliationBreak.id)
    else:
        query = query.order_by(ReconciliationBreak.occurred_at, ReconciliationBreak.id)
    return paginate(query, page=page, per_page=PER_PAGE)


def break_counts() -> dict[str, int]:
    """How many breaks are in each state."""
    rows = db.session.execute(
        select(ReconciliationBreak.state, func.count()).group_by(ReconciliationBreak.state)
    )
    found = {state.value: count for state, count in rows}
    return {state.value: found.get(state.value, 0) for state in BreakState}


def open_by_type() -> list[tuple[str, str, int, int]]:
    """Open breaks as (type, currency, how many, sum of their amounts without sign)."""
    rows = db.session.execute(
        select(
            ReconciliationBreak.type,
            ReconciliationBreak.currency,
            func.count(),
            func.sum(func.abs(ReconciliationBreak.amount)),
        )
        .where(ReconciliationBreak.state == BreakState.OPEN)
        .group_by(ReconciliationBreak.type, ReconciliationBreak.currency)
        .order_by(ReconciliationBreak.type, ReconciliationBreak.currency)
    )
    return [(type_.value, currency, count, int(total)) for type_, currency, count, total in rows]


def find_break(break_id: int) -> ReconciliationBreak | None:
    """One break."""
    return db.session.get(ReconciliationBreak, break_id)


def history_of(found: ReconciliationBreak) -> Sequence[Fact]:
    """What people did with a break, the newest first."""
    return db.session.scalars(
        select(Fact)
        .where(Fact.subject_type == "break", Fact.subject_id == str(found.id))
        .order_by(Fact.id.desc())
        .limit(50)
    ).all()


def sides_of(found: ReconciliationBreak) -> Sides:
    """The rows that a break is between."""
    match found.subject_type:
        case "balance_txn":
            stripe = db.session.scalar(
                select(BalanceTransaction).where(BalanceTransaction.stripe_id == found.subject_id)
            )
            ids = _matched_transactions(stripe) if stripe else []
            return Sides(stripe=stripe, transactions=_transactions(ids))
        case "ledger_txn":
            return Sides(transactions=_transactions([int(found.subject_id)]))
        case "stripe_payout":
            payout = db.session.scalar(
                select(StripePayout).where(StripePayout.stripe_id == found.subject_id)
            )
            return Sides(payout=payout, lines=_lines_of(payout) if payout else ())
        case "bank_line":
            line = db.session.get(BankLine, int(found.subject_id))
            return Sides(lines=[line] if line else (), transactions=_booked(int(found.subject_id)))
        case "bank_import":
            return Sides(file=db.session.get(BankImport, int(found.subject_id)))
    return Sides()


def _matched_transactions(stripe: BalanceTransaction) -> list[int]:
    return list(
        db.session.scalars(
            select(ReconciliationMatch.right_id).where(
                ReconciliationMatch.left_type == "balance_txn",
                ReconciliationMatch.left_id == stripe.id,
            )
        )
    )


def _transactions(ids: Sequence[int]) -> Sequence[LedgerTransaction]:
    if not ids:
        return ()
    return db.session.scalars(
        select(LedgerTransaction)
        .where(LedgerTransaction.id.in_(ids))
        .options(
            selectinload(LedgerTransaction.entries).joinedload(LedgerEntry.account),
            selectinload(LedgerTransaction.period),
        )
        .order_by(LedgerTransaction.id)
    ).all()


def _booked(line_id: int) -> Sequence[LedgerTransaction]:
    ids = db.session.scalars(
        select(LedgerTransaction.id).where(
            LedgerTransaction.source_type == "bank_line",
            LedgerTransaction.source_id == str(line_id),
        )
    ).all()
    return _transactions(ids)


def _lines_of(payout: StripePayout) -> Sequence[BankLine]:
    return db.session.scalars(
        select(BankLine)
        .join(ReconciliationMatch, ReconciliationMatch.right_id == BankLine.id)
        .where(
            ReconciliationMatch.left_type == "stripe_payout",
            ReconciliationMatch.left_id == payout.id,
        )
        .order_by(BankLine.id)
    ).all()


def finance_people() -> dict[int, str]:
    """The staff who may own a break, by id."""
    rows = db.session.execute(
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Organization.kind == OrganizationKind.PLATFORM, Membership.role.in_(FINANCE_ROLES))
        .order_by(User.name, User.id)
    )
    return {user_id: name or "" for user_id, name in rows}


def names_of(user_ids: set[int | None]) -> dict[int, str]:
    """Names of people by id."""
    ids = sorted(each for each in user_ids if each is not None)
    if not ids:
        return {}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return {user_id: name or "" for user_id, name in rows}


def organization_names(ids: set[int]) -> dict[int, tuple[str, str]]:
    """Name and slug of organizations by id."""
    rows = db.session.execute(
        select(Organization.id, Organization.name, Organization.slug).where(
            Organization.id.in_(sorted(ids))
        )
    )
    return {each: (name, slug) for each, name, slug in rows}


def latest_run() -> ReconciliationRun | None:
    """The run that was finished last."""
    return db.session.scalar(
        select(ReconciliationRun)
        .where(ReconciliationRun.step == "done")
        .order_by(ReconciliationRun.id.desc())
        .limit(1)
    )


def running_run() -> ReconciliationRun | None:
    """The run that is under way."""
    return db.session.scalar(select(ReconciliationRun).where(ReconciliationRun.slot == "running"))


def page_of_runs(page: int) -> Page[ReconciliationRun]:
    """All runs, the newest first."""
    return paginate(
        select(ReconciliationRun).order_by(ReconciliationRun.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def page_of_imports(page: int) -> Page[BankImport]:
    """All files of the bank, the newest first."""
    return paginate(select(BankImport).order_by(BankImport.id.desc()), page=page, per_page=20)


def find_import(bank_import_id: int) -> BankImport | None:
    """One file of the bank."""
    return db.session.get(BankImport, bank_import_id)


def page_of_lines(file: BankImport, page: int) -> Page[BankLine]:
    """The lines of one file in the order of the days."""
    return paginate(
        select(BankLine)
        .where(BankLine.import_id == file.id)
        .order_by(BankLine.booked_on, BankLine.id),
        page=page,
        per_page=PER_PAGE,
    )


def find_line(bank_line_id: int) -> BankLine | None:
    """One line of the bank."""
    return db.session.get(BankLine, bank_line_id)


def matches_of_lines(
    line_ids: Sequence[int],
) -> dict[int, list[tuple[StripePayout, ReconciliationMatch]]]:
    """The payouts that each of these lines is."""
    rows = db.session.execute(
        select(ReconciliationMatch, StripePayout)
        .join(StripePayout, StripePayout.id == ReconciliationMatch.left_id)
        .where(
            ReconciliationMatch.left_type == "stripe_payout",
            ReconciliationMatch.right_type == "bank_line",
            ReconciliationMatch.right_id.in_(line_ids),
        )
        .order_by(ReconciliationMatch.id)
    )
    found: dict[int, list[tuple[StripePayout, ReconciliationMatch]]] = {}
    for match, payout in rows:
        found.setdefault(match.right_id, []).append((payout, match))
    return found


def page_of_open_lines(wanted: LineFilter, page: int) -> Page[BankLine]:
    """Lines that fit, without a match and not set aside, the oldest first."""
    return paginate(
        open_lines(wanted).order_by(BankLine.booked_on, BankLine.id),
        page=page,
        per_page=PER_PAGE,
    )


def bank_accounts() -> Sequence[str]:
    """The accounts that files were imported for."""
    return db.session.scalars(
        select(BankImport.account)
        .where(BankImport.account != "")
        .distinct()
        .order_by(BankImport.account)
        .limit(MOST_ACCOUNTS)
    ).all()


def page_of_open_payouts(page: int) -> Page[StripePayout]:
    """Payouts that the bank does not show in full, the oldest first."""
    arrived = func.coalesce(func.sum(ReconciliationMatch.amount), 0)
    return paginate(
        select(StripePayout)
        .outerjoin(
            ReconciliationMatch,
            (ReconciliationMatch.left_type == "stripe_payout")
            & (ReconciliationMatch.left_id == StripePayout.id),
        )
        .where(StripePayout.state != "canceled")
        .group_by(StripePayout.id)
        .having(
            ((StripePayout.state != "failed") & (arrived != StripePayout.amount))
            | ((StripePayout.state == "failed") & (arrived != 0))
        )
        .order_by(StripePayout.arrival_on, StripePayout.id),
        page=page,
        per_page=PER_PAGE,
    )


def page_of_rules(page: int) -> Page[BankRule]:
    """Rules that set lines aside: standing ones first, then the newest."""
    stands = BankRule.is_standing & BankRule.removed_at.is_(None)
    return paginate(
        select(BankRule).order_by(stands.desc(), BankRule.id.desc()), page=page, per_page=PER_PAGE
    )


def lines_by_rule(rule_ids: Sequence[int]) -> dict[int, int]:
    """How many lines each of these rules has set aside."""
    rows = db.session.execute(
        select(BankLine.rule_id, func.count())
        .where(BankLine.rule_id.in_(rule_ids))
        .group_by(BankLine.rule_id)
    )
    return {rule_id: count for rule_id, count in rows if rule_id is not None}


def find_rule(bank_rule_id: int) -> BankRule | None:
    """A rule that sets lines aside."""
    return db.session.get(BankRule, bank_rule_id)
