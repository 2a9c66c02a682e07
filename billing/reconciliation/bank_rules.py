"""Setting aside lines of the bank by what they are like: now, and in later files if wished.

A business account has thousands of lines that are no payouts of Stripe. A person says once what
they have in common and why they are none. The rule stays with who made it and when, and each of
its lines says which rule it was. A rule never touches a line that has a match.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import case, func, or_, select, update

from billing.models import BankImport, BankLine, BankRule
from billing.money import CURRENCIES
from billing.reconciliation.bank import BANK_LINE, checked_reason, is_matched, lock_bank
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row

# Each import asks all of them.
MOST_STANDING = 100
DIRECTIONS = ("in", "out")


@dataclass(frozen=True)
class LineFilter:
    """Which lines; what is empty asks for nothing. Amounts are minor units without sign."""

    contains: str = ""
    lacks: str = ""
    account: str = ""
    currency: str = ""
    direction: str = ""
    amount_from: int | None = None
    amount_to: int | None = None

    @property
    def asks_nothing(self) -> bool:
        """Whether every line fits."""
        return self == LineFilter()


@dataclass(frozen=True)
class Sums:
    """Lines of one currency: how many, and what they brought and took, in minor units."""

    currency: str
    count: int
    money_in: int
    money_out: int


class NotAsSeenError(ConflictError):
    """Other lines fit now than those that were shown."""


def open_lines(wanted: LineFilter) -> Any:
    """A select of the lines that fit, have no match, and are not set aside."""
    return select(BankLine).where(*_open_and(wanted))


def sums_of(wanted: LineFilter) -> list[Sums]:
    """What `open_lines` has, by currency."""
    rows = db.session.execute(
        select(
            BankLine.currency,
            func.count(),
            func.sum(case((BankLine.amount > 0, BankLine.amount), else_=0)),
            func.sum(case((BankLine.amount < 0, BankLine.amount), else_=0)),
        )
        .where(*_open_and(wanted))
        .group_by(BankLine.currency)
        .order_by(BankLine.currency)
    )
    return [Sums(code, count, int(came), int(went)) for code, count, came, went in rows]


def seen_text(sums: Sequence[Sums]) -> str:
    """What a page showed, to be handed back with the decision."""
    return " ".join(
        f"{each.currency}:{each.count}:{each.money_in}:{each.money_out}" for each in sums
    )


def set_aside_all(
    wanted: LineFilter, reason: str, *, is_standing: bool, seen: str, by_user_id: int
) -> tuple[BankRule, int]:
    """Set aside the lines that fit; the rule, and how many. `is_standing`: of later files too.

    Raises InvalidError; NotAsSeenError when it is not what `seen` says (`seen_text`).
    """
    _refuse_odd(wanted)
    reason = checked_reason(reason)
    lock_bank()
    sums = sums_of(wanted)
    if not sums and not is_standing:
        raise InvalidError({"contains": "No line fits."})
    if seen_text(sums) != seen:
        raise NotAsSeenError("Other lines fit now than a moment ago. Look at them again.")
    if is_standing and len(standing_rules()) >= MOST_STANDING:
        raise InvalidError(
            {"is_standing": f"There are {MOST_STANDING} standing rules. Remove one first."}
        )
    rule = BankRule(
        **asdict(wanted),
        reason=reason,
        is_standing=is_standing,
        created_by_id=by_user_id,
        created_at=clock.now(),
    )
    db.session.add(rule)
    db.session.flush()
    count = _apply(rule)
    record_fact(
        "bank_rule.made",
        subject=("bank_rule", rule.id),
        actor_user_id=by_user_id,
        data={
            **{name: value for name, value in asdict(wanted).items() if value},
            "reason": reason,
            "standing": is_standing,
            "lines": count,
            "sums": seen,
        },
    )
    return rule, count


def apply_rules(file: BankImport) -> int:
    """Set aside what the standing rules say of a new file; how many lines.

    Only of this file: a line that a person took up again stays up.
    """
    count = 0
    for rule in standing_rules():
        done = _apply(rule, BankLine.import_id == file.id)
        if done:
            record_fact(
                "bank_rule.applied",
                subject=("bank_rule", rule.id),
                data={"import": file.id, "lines": done},
            )
        count += done
    return count


def remove_rule(rule: BankRule, *, take_up: bool, by_user_id: int) -> int:
    """It counts no more for later files. `take_up`: and its lines count again; how many.

    Raises ConflictError when it is removed already.
    """
    lock_bank()
    locked = lock_row(BankRule, BankRule.id == rule.id)
    if locked is None or locked.removed_at is not None:
        raise ConflictError("This rule is removed already.")
    locked.removed_by_id, locked.removed_at = by_user_id, clock.now()
    count = 0
    if take_up:
        count = _changed(
            update(BankLine)
            .where(BankLine.rule_id == rule.id)
            .values(ignored_reason="", rule_id=None)
        )
    record_fact(
        "bank_rule.removed",
        subject=("bank_rule", rule.id),
        actor_user_id=by_user_id,
        data={"lines_taken_up": count},
    )
    return count


def standing_rules() -> Sequence[BankRule]:
    """Those that count for later files, the oldest first."""
    return db.session.scalars(
        select(BankRule)
        .where(BankRule.is_standing, BankRule.removed_at.is_(None))
        .order_by(BankRule.id)
    ).all()


def filter_of(rule: BankRule) -> LineFilter:
    """What a rule asks for."""
    return LineFilter(**{name: getattr(rule, name) for name in asdict(LineFilter())})


def _apply(rule: BankRule, *more: Any) -> int:
    return _changed(
        update(BankLine)
        .where(*_open_and(filter_of(rule)), *more)
        .values(ignored_reason=rule.reason, rule_id=rule.id)
    )


def _changed(statement: Any) -> int:
    done = db.session.execute(statement.execution_options(synchronize_session=False))
    # Lines that were loaded before are read anew.
    db.session.expire_all()
    return int(getattr(done, "rowcount", 0))


def _refuse_odd(wanted: LineFilter) -> None:
    errors: dict[str, str] = {}
    if wanted.asks_nothing:
        errors["contains"] = "Say something that these lines have in common."
    for name in ("contains", "lacks"):
        if len(getattr(wanted, name)) > 140:
            errors[name] = "At most 140 characters."
    if wanted.currency and wanted.currency not in CURRENCIES:
        errors["currency"] = f"There is no currency {wanted.currency}."
    if wanted.direction and wanted.direction not in DIRECTIONS:
        errors["direction"] = "In or out."
    if (wanted.amount_from is not None or wanted.amount_to is not None) and not wanted.currency:
        errors["currency"] = "Amounts need a currency."
    if None not in (wanted.amount_from, wanted.amount_to) and (
        (wanted.amount_from or 0) > (wanted.amount_to or 0)
    ):
        errors["amount_to"] = "It must not be less than the other."
    if errors:
        raise InvalidError(errors)


def _open_and(wanted: LineFilter) -> list[Any]:
    found: list[Any] = [BankLine.ignored_reason == "", ~is_matched(BANK_LINE, BankLine.id)]
    if wanted.contains:
        found.append(_has(wanted.contains))
    if wanted.lacks:
        found.append(~_has(wanted.lacks))
    if wanted.account:
        found.append(
            BankLine.import_id.in_(
                select(BankImport.id).where(BankImport.account == wanted.account)
            )
        )
    if wanted.currency:
        found.append(BankLine.currency == wanted.currency)
    if wanted.direction:
        found.append(BankLine.amount > 0 if wanted.direction == "in" else BankLine.amount < 0)
    if wanted.amount_from is not None:
        found.append(func.abs(BankLine.amount) >= wanted.amount_from)
    if wanted.amount_to is not None:
        found.append(func.abs(BankLine.amount) <= wanted.amount_to)
    return found


def _has(text: str) -> Any:
    """Whether the line's text or reference has it, whatever the case (on SQLite: of a to z)."""
    return or_(
        BankLine.text.icontains(text, autoescape=True),
        BankLine.reference.icontains(text, autoescape=True),
    )
