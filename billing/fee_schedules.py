"""Fee schedules: which is in force, drafts of the next one, and publishing it.

A schedule is in force from its day until the day of a later one; of two with the same day the
later version counts. A published schedule never changes, so an order's rule can always be read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.orm import selectinload

from billing.fees import choose_rule, problem_of
from billing.models import (
    FeeKind,
    FeeRule,
    FeeSchedule,
    FeeSimulation,
    FeeSimulationPartner,
    ScheduleState,
)
from billing.money import CURRENCIES
from billing.partner_facts import PartnerFacts
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row

MAX_NAME = 80
MAX_NOTE = 500
PUBLISHED = "This schedule is published and does not change any more. Start a new draft instead."


@dataclass(frozen=True)
class RuleValue:
    """A rule as it is written into a draft; see `FeeRule`. Amounts in minor units of `currency`."""

    kind: FeeKind
    partner_type: str = ""
    tier: str = ""
    currency: str = ""
    bps: int = 0
    fixed: int = 0
    hold_days: int = 14

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Of whom and what it speaks: unique within a schedule."""
        return (self.kind.value, self.partner_type, self.tier, self.currency)


@dataclass(frozen=True)
class RuleChange:
    """A difference between two schedules: `before` is None for a new rule, `after` for one gone."""

    before: RuleValue | None
    after: RuleValue | None

    @property
    def rule(self) -> RuleValue:
        """Either side, to tell what it is about."""
        value = self.after or self.before
        if value is None:
            raise ValueError("a change has a side")
        return value


def fee_rule_for(kind: FeeKind, facts: PartnerFacts, currency: str, at: datetime) -> FeeRule | None:
    """The rule in force at `at` for a partner with these facts, in `currency`; None when no
    schedule speaks of it: there is no fee then. One query."""
    in_force = _in_force(at).with_only_columns(FeeSchedule.id).scalar_subquery()
    rules = db.session.scalars(
        select(FeeRule).where(FeeRule.schedule_id == in_force, FeeRule.kind == kind)
    )
    return choose_rule(rules, kind, facts, currency)


def schedule_in_force(at: datetime) -> FeeSchedule | None:
    """The schedule whose day had come by `at` last, with its rules."""
    return db.session.scalar(_in_force(at).options(selectinload(FeeSchedule.rules)))


def schedule_before(schedule: FeeSchedule) -> FeeSchedule | None:
    """The schedule that one follows: of a draft the last one that is published, in force or to
    come; of a published one the last whose day came before its own."""
    query = select(FeeSchedule).where(FeeSchedule.state == ScheduleState.PUBLISHED)
    if schedule.effective_from is not None:
        query = query.where(
            or_(
                FeeSchedule.effective_from < schedule.effective_from,
                and_(
                    FeeSchedule.effective_from == schedule.effective_from,
                    FeeSchedule.version < schedule.version,
                ),
            )
        )
    return db.session.scalar(
        query.options(selectinload(FeeSchedule.rules))
        .order_by(FeeSchedule.effective_from.desc(), FeeSchedule.version.desc())
        .limit(1)
    )


def start_draft(name: str, *, copy_of: FeeSchedule | None, by_user_id: int | None) -> FeeSchedule:
    """A draft, with the rules of another schedule or none. Raises InvalidError."""
    draft = FeeSchedule(
        version=(db.session.scalar(select(func.max(FeeSchedule.version))) or 0) + 1,
        name=_checked_name(name),
        created_by_id=by_user_id,
    )
    if copy_of is not None:
        draft.rules = [FeeRule(**vars(value)) for value in values_of(copy_of)]
    db.session.add(draft)
    db.session.flush()
    record_fact(
        "fee_schedule.drafted",
        subject=("fee_schedule", draft.id),
        actor_user_id=by_user_id,
        data={"version": draft.version, "copy_of": copy_of.version if copy_of else None},
    )
    return draft


def describe_draft(draft: FeeSchedule, *, name: str, note: str) -> None:
    """Name a draft. Raises InvalidError, ConflictError once it is published."""
    _lock_draft(draft)
    checked = _checked_name(name)
    if len(note) > MAX_NOTE:
        raise InvalidError({"note": f"At most {MAX_NOTE} characters."})
    draft.name, draft.note = checked, note.strip()
    db.session.flush()


def put_rule(draft: FeeSchedule, value: RuleValue, *, rule: FeeRule | None = None) -> FeeRule:
    """Add a rule to a draft, or write `rule` of it anew.

    Raises InvalidError (whose fields are RuleValue's), ConflictError once it is published.
    """
    _lock_draft(draft)
    if value.currency and value.currency not in CURRENCIES:
        raise InvalidError({"currency": "Choose a currency."})
    problem = problem_of(value)
    if problem:
        raise InvalidError({_field_of(problem): problem})
    twin = next((each for each in draft.rules if _value(each).key == value.key), None)
    if twin is not None and twin is not rule:
        raise InvalidError({"kind": "There is a fee for this already. Edit that one."})
    if rule is None:
        rule = FeeRule(**vars(value))
        draft.rules.append(rule)
    else:
        for name, new in vars(value).items():
            setattr(rule, name, new)
    db.session.flush()
    return rule


def remove_rule(draft: FeeSchedule, rule: FeeRule) -> None:
    """Take a rule out of a draft. Raises ConflictError once it is published."""
    _lock_draft(draft)
    if rule in draft.rules:
        draft.rules.remove(rule)
    db.session.flush()


def discard_draft(draft: FeeSchedule, *, by_user_id: int | None) -> None:
    """Delete a draft. Raises ConflictError once it is published."""
    _lock_draft(draft)
    record_fact(
        "fee_schedule.discarded",
        subject=("fee_schedule", draft.id),
        actor_user_id=by_user_id,
        data={"version": draft.version},
    )
    forget_simulations(draft.id)
    db.session.delete(draft)
    db.session.flush()


def forget_simulations(schedule_id: int, months: int | None = None) -> None:
    """Delete what was found for a schedule, for all lengths of time or one."""
    which = select(FeeSimulation.id).where(FeeSimulation.schedule_id == schedule_id)
    if months is not None:
        which = which.where(FeeSimulation.months == months)
    ids = db.session.scalars(which).all()
    db.session.execute(
        delete(FeeSimulationPartner).where(FeeSimulationPartner.simulation_id.in_(ids))
    )
    db.session.execute(delete(FeeSimulation).where(FeeSimulation.id.in_(ids)))


def problems_of(draft: FeeSchedule) -> list[str]:
    """What keeps a draft from being published, in words for people."""
    found = [problem for rule in draft.rules if (problem := problem_of(rule))]
    everybody = any(
        rule.kind is FeeKind.SALE and not rule.partner_type and not rule.tier and not rule.currency
        for rule in draft.rules
    )
    if not everybody:
        found.append("Add a fee on sales for all partners in every currency, even one of 0%.")
    return found


def publish_draft(
    draft: FeeSchedule, *, effective_from: datetime, by_user_id: int | None
) -> FeeSchedule:
    """Publish: from `effective_from` on, which has not passed, new orders follow it.

    Raises InvalidError, ConflictError when it is published already.
    """
    _lock_draft(draft)
    now = clock.now()
    if effective_from < now:
        raise InvalidError({"effective_from": "Choose a day that has not begun."})
    if problems := problems_of(draft):
        raise InvalidError({"effective_from": problems[0]})
    draft.state = ScheduleState.PUBLISHED
    draft.effective_from, draft.published_at, draft.published_by_id = (
        effective_from,
        now,
        by_user_id,
    )
    db.session.flush()
    record_fact(
        "fee_schedule.published",
        subject=("fee_schedule", draft.id),
        actor_user_id=by_user_id,
        data={"version": draft.version, "effective_from": effective_from.isoformat()},
    )
    return draft


def values_of(schedule: FeeSchedule | None) -> list[RuleValue]:
    """A schedule's rules as values; none of none."""
    return [_value(rule) for rule in schedule.rules] if schedule else []


def difference(before: Iterable[RuleValue], after: Iterable[RuleValue]) -> list[RuleChange]:
    """What differs between two schedules, in the order of kind, type, tier and currency. Pure."""
    old = {value.key: value for value in before}
    new = {value.key: value for value in after}
    order = [kind.value for kind in FeeKind]
    return [
        RuleChange(old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys(), key=lambda key: (order.index(key[0]), key))
        if old.get(key) != new.get(key)
    ]


def sorted_rules(rules: Sequence[FeeRule]) -> list[FeeRule]:
    """Rules as they are shown: by kind, the general before the exact. Pure."""
    order = list(FeeKind)
    return sorted(
        rules,
        key=lambda rule: (
            order.index(rule.kind),
            2 * bool(rule.partner_type) + bool(rule.tier),
            rule.partner_type,
            rule.tier,
            rule.currency,
        ),
    )


def _in_force(at: datetime) -> Select[FeeSchedule]:
    return (
        select(FeeSchedule)
        .where(FeeSchedule.state == ScheduleState.PUBLISHED, FeeSchedule.effective_from <= at)
        .order_by(FeeSchedule.effective_from.desc(), FeeSchedule.version.desc())
        .limit(1)
    )


def _value(rule: FeeRule) -> RuleValue:
    return RuleValue(
        rule.kind,
        rule.partner_type,
        rule.tier,
        rule.currency,
        rule.bps,
        rule.fixed,
        rule.hold_days,
    )


def _lock_draft(draft: FeeSchedule) -> None:
    """Hold a draft: what is published, and what is written meanwhile, is one after the other."""
    held = lock_row(FeeSchedule, FeeSchedule.id == draft.id)
    if held is None or held.state is not ScheduleState.DRAFT:
        raise ConflictError(PUBLISHED)
    db.session.expire(held, ["rules"])


def _checked_name(name: str) -> str:
    cleaned = name.strip()
    if not cleaned:
        raise InvalidError({"name": "Give it a name."})
    if len(cleaned) > MAX_NAME:
        raise InvalidError({"name": f"At most {MAX_NAME} characters."})
    return cleaned


def _field_of(problem: str) -> str:
    for word, name in (("share", "bps"), ("currency", "currency"), ("held", "hold_days")):
        if word in problem:
            return name
    return "fixed"
