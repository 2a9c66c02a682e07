"""What a policy says, as one validated value.

A policy is a document: it is written in forms or in YAML, stored whole as one version, and read by
everything that decides about partners. Amounts are integers: minor units of the policy's currency,
hundredths of a star, minutes, days. Tiers are listed from the lowest to the highest.
"""

import enum
import hashlib
import json
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, model_validator

FORMAT = "portico.program/1"

# Neither a yes nor a text with digits is taken for a number.
Whole = Annotated[int, Strict()]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Sentence = Annotated[str, StringConstraints(max_length=300, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(max_length=4_000)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Entry(enum.StrEnum):
    """How an organization becomes a partner of a type."""

    INSTANT = "instant"  # at once
    EMAIL = "email"  # once an address is confirmed
    APPLICATION = "application"  # after the stages of an application


class Unit(enum.StrEnum):
    """What a metric's value counts."""

    COUNT = "count"
    MONEY = "money"  # minor units of the policy's currency
    STARS = "stars"  # hundredths of a star
    MINUTES = "minutes"
    DAYS = "days"
    PERCENT = "percent"


class How(enum.StrEnum):
    """How a metric's value is made of measurements up to a moment."""

    SUM = "sum"  # amounts inside the window
    LEVEL = "level"  # all amounts ever: what stands now
    COUNT = "count"  # measurements inside the window, less those that take one back
    AVERAGE = "average"  # amounts inside the window, rounded half up; no value without any
    AGE = "age"  # days since the newest measurement; no value without any


class FieldKind(enum.StrEnum):
    """What a field of an application's form takes."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    CHOICE = "choice"
    CHOICES = "choices"
    NUMBER = "number"
    URL = "url"
    EMAIL = "email"
    DATE = "date"
    YES = "yes"  # a box that must be ticked when it is required
    COUNTRY = "country"


class FormField(_Part):
    """One question. `options` are for choices alone."""

    key: Key
    label: Name
    kind: FieldKind = FieldKind.TEXT
    required: bool = True
    hint: Sentence = ""
    options: tuple[Name, ...] = ()
    # Asked only when the answer to another question of the form is one of these.
    when_field: Key | None = None
    when_is: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _choices_have_options(self) -> Self:
        if self.kind in {FieldKind.CHOICE, FieldKind.CHOICES} and len(self.options) < 2:
            raise ValueError(f"the question {self.key} needs at least two options")
        return self


class Stage(_Part):
    """A stage of an application: who looks, how many, and which mean score passes."""

    key: Key
    name: Name
    # Reviewers who must score before the stage can be passed; 0: one decision is enough.
    reviewers: Whole = Field(default=0, ge=0, le=9)
    # The least mean score, in percent, to pass; 0: scores only inform.
    pass_score: Whole = Field(default=0, ge=0, le=100)
    criteria: tuple[Name, ...] = ()
    # The role of the platform's staff that passes it; empty: whoever reviews applications.
    role: Annotated[str, StringConstraints(pattern=r"^(reviewer|program_manager|finance)?$")] = ""


class PlaybookTask(_Part):
    """A task that a new partner of the type, or the operator, gets on joining."""

    key: Key
    title: Name
    text: Sentence = ""
    # Who must do it.
    side: Annotated[str, StringConstraints(pattern=r"^(partner|operator)$")] = "partner"
    # Days after joining, by the end of that day in UTC.
    due_days: Whole = Field(ge=0, le=730)


class Step(_Part):
    """A step of getting started; it ticks itself when the thing is done.

    `done_by` is the kind of a fact of the organization (`sandbox.created`) or `measure:<measure>`.
    """

    key: Key
    title: Name
    text: Sentence = ""
    done_by: Annotated[str, StringConstraints(max_length=80)]
    # The path of our own page where it is done.
    link: Annotated[str, StringConstraints(pattern=r"^(/[^/\s].*)?$", max_length=200)] = ""


class PartnerType(_Part):
    """A kind of partner."""

    key: Key
    name: Name
    summary: Sentence = ""
    entry: Entry = Entry.APPLICATION
    is_open: bool = True
    # Parts of the portal that people of this type can use (keys of marketplace.program.modules);
    # empty: all of them.
    modules: tuple[Key, ...] = ()
    form: tuple[FormField, ...] = ()
    stages: tuple[Stage, ...] = ()
    playbook: tuple[PlaybookTask, ...] = ()
    getting_started: tuple[Step, ...] = ()
    # Days after which a partner that has not become certified lapses; null: never.
    provisional_days: Whole | None = Field(default=None, ge=1, le=730)
    entitlements: dict[Key, int | bool | str] = Field(default_factory=dict)
    # Days within which the operator promises to decide an application; null: nothing is promised.
    # A fee that was paid goes back by itself when the promise is missed.
    review_days: Whole | None = Field(default=None, ge=1, le=365)
    # False: no commission is ever booked for partners of this type.
    earns_commission: bool = True


class Metric(_Part):
    """A number about a partner, made of measurements.

    `points` are given for each `per` of the value, at most `cap` points. `effort` says how many
    hours one more `per` costs a partner: the cheapest path is found by it.
    """

    key: Key
    name: Name
    measure: Key
    how: How = How.SUM
    unit: Unit = Unit.COUNT
    window_days: Whole | None = Field(default=365, ge=1, le=3_650)
    higher_is_better: bool = True
    points: Whole = Field(default=0, ge=0, le=10_000)
    per: Whole = Field(default=1, ge=1)
    cap: Whole | None = Field(default=None, ge=0)
    effort: Whole = Field(default=8, ge=0, le=10_000)
    text: Sentence = ""


class Requirement(_Part):
    """What a tier asks for: a metric's value of at least (or at most, by its direction) this.

    `types`: only of partners of these types; empty: of all.
    """

    metric: Key
    threshold: Whole
    types: tuple[Key, ...] = ()


class Tier(_Part):
    """A tier. `points` and every requirement must be met."""

    key: Key
    name: Name
    summary: Sentence = ""
    points: Whole = Field(default=0, ge=0)
    requirements: tuple[Requirement, ...] = ()
    entitlements: dict[Key, int | bool | str] = Field(default_factory=dict)
    # Types that can reach it; empty: all.
    types: tuple[Key, ...] = ()
    # What a partner of the tier costs the program in a year: minor units.
    yearly_cost: Whole = Field(default=0, ge=0)


class EntitlementKind(enum.StrEnum):
    """What an entitlement's value is."""

    FLAG = "flag"
    LIMIT = "limit"
    MONEY = "money"  # minor units of the policy's currency
    TEXT = "text"


class Entitlement(_Part):
    """Something that types and tiers may give: the highest value given counts."""

    key: Key
    name: Name
    kind: EntitlementKind = EntitlementKind.FLAG
    text: Sentence = ""
    # Comes later: until then nobody is given it, and no partner is shown it.
    announced: bool = False


class Benefit(_Part):
    """Something that a partner claims and the operator fulfils.

    `per_year`: how many a partner of each tier may claim in a calendar year (UTC).
    """

    key: Key
    name: Name
    text: Sentence = ""
    per_year: dict[Key, Whole] = Field(default_factory=dict)
    # Suggested to partners that are entitled and have not used it.
    used_by: Annotated[str, StringConstraints(max_length=80)] = ""


class Goal(_Part):
    """What the operator wants of the whole program: a measure's total in a calendar year."""

    key: Key
    name: Name
    measure: Key
    how: How = How.SUM
    target: Whole = Field(ge=1)


class Space(_Part):
    """Rights in a space of the community: the lowest tier that may do each; null: any partner."""

    key: Key
    name: Name
    see: Key | None = None
    reply: Key | None = None
    create: Key | None = None


class Policy(_Part):
    """A whole policy. `rates`: how many millionths of the policy's currency one unit of another
    currency counts as in metrics; what has no rate is not counted, and the page says so."""

    format: Annotated[str, StringConstraints(pattern="^" + FORMAT + "$")] = FORMAT
    name: Name
    summary: Text = ""
    currency: Currency = "EUR"
    rates: dict[Currency, Whole] = Field(default_factory=dict)
    # Days that a partner keeps a tier whose requirements it no longer meets.
    grace_days: Whole = Field(default=30, ge=0, le=365)
    types: tuple[PartnerType, ...]
    tiers: tuple[Tier, ...]
    metrics: tuple[Metric, ...] = ()
    entitlements: tuple[Entitlement, ...] = ()
    benefits: tuple[Benefit, ...] = ()
    goals: tuple[Goal, ...] = ()
    spaces: tuple[Space, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for part in (
            "types", "tiers", "metrics", "entitlements", "benefits", "goals", "spaces"
        ):  # fmt: skip
            keys = [each.key for each in getattr(self, part)]
            twice = {key for key in keys if keys.count(key) > 1}
            if twice:
                raise ValueError(f"{part}: {sorted(twice)[0]} is there twice")
        if not self.types:
            raise ValueError("types: a program has at least one type of partner")
        if not self.tiers:
            raise ValueError("tiers: a program has at least one tier")
        types = {each.key for each in self.types}
        tiers = {each.key for each in self.tiers}
        metrics = {each.key for each in self.metrics}
        entitlements = {each.key for each in self.entitlements}
        for tier in self.tiers:
            for requirement in tier.requirements:
                _known(f"tier {tier.key}", "metric", requirement.metric, metrics)
                for key in requirement.types:
                    _known(f"tier {tier.key}", "type", key, types)
            for key in tier.types:
                _known(f"tier {tier.key}", "type", key, types)
            for key in tier.entitlements:
                _known(f"tier {tier.key}", "entitlement", key, entitlements)
        lowest = self.tiers[0]
        if lowest.points or lowest.requirements or lowest.types:
            raise ValueError(
                f"tier {lowest.key}: the lowest tier asks for nothing and is for every type"
            )
        for kind in self.types:
            for key in kind.entitlements:
                _known(f"type {kind.key}", "entitlement", key, entitlements)
            for part in ("form", "stages", "playbook", "getting_started"):
                keys = [each.key for each in getattr(kind, part)]
                if len(set(keys)) != len(keys):
                    raise ValueError(f"type {kind.key}: a key of {part} is there twice")
        for benefit in self.benefits:
            for key in benefit.per_year:
                _known(f"benefit {benefit.key}", "tier", key, tiers)
        for space in self.spaces:
            for wanted in (space.see, space.reply, space.create):
                if wanted is not None:
                    _known(f"space {space.key}", "tier", wanted, tiers)
        return self

    def type(self, key: str | None) -> PartnerType | None:
        """The type of that key."""
        return next((each for each in self.types if each.key == key), None)

    def tier(self, key: str | None) -> Tier | None:
        """The tier of that key."""
        return next((each for each in self.tiers if each.key == key), None)

    def metric(self, key: str) -> Metric | None:
        """The metric of that key."""
        return next((each for each in self.metrics if each.key == key), None)

    def rank(self, tier: str | None) -> int:
        """A tier's place from the lowest, which is 0; -1 for none that there is."""
        return next((place for place, each in enumerate(self.tiers) if each.key == tier), -1)

    def is_announced(self, key: str) -> bool:
        """Whether an entitlement comes later."""
        return any(each.key == key and each.announced for each in self.entitlements)

    def reaches(self, tier: str | None, least: str) -> bool:
        """Whether a tier is that least one or above it. Nobody reaches one that there is not."""
        wanted = self.rank(least)
        return wanted >= 0 and self.rank(tier) >= wanted

    def tiers_for(self, partner_type: str | None) -> tuple[Tier, ...]:
        """The tiers that partners of a type can reach, lowest first."""
        return tuple(tier for tier in self.tiers if not tier.types or partner_type in tier.types)

    def tiers_behind(self, partner_type: str | None, tier: str) -> tuple[Tier, ...]:
        """The tiers that give something to a partner of a type at a tier, lowest first: its own,
        and those below it that its type can reach. None for a tier that there is not."""
        return tuple(
            each
            for each in self.tiers[: self.rank(tier) + 1]
            if each.key == tier or not each.types or partner_type in each.types
        )

    def as_data(self) -> dict[str, Any]:
        """The policy as JSON."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """The SHA-256 hex digest of its canonical JSON: the same words, the same digest."""
        encoded = json.dumps(
            self.as_data(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(encoded.encode()).hexdigest()


def _known(where: str, what: str, key: str, known: set[str]) -> None:
    if key not in known:
        raise ValueError(f"{where}: there is no {what} {key}")
