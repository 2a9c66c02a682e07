"""The time that a page is about: whole days in the reader's zone, as moments in UTC. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PRESETS: Mapping[str, str] = {
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "month": "This month",
    "last_month": "Last month",
    "year": "This year",
    "custom": "From and to",
}
DEFAULT = "30d"
LONGEST_DAYS = 731
FIRST_DAY = date(2000, 1, 1)


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both included, in a zone."""

    first: date
    last: date
    zone: ZoneInfo
    preset: str = "custom"
    problem: str = ""

    @property
    def begin(self) -> datetime:
        """Its first moment, in UTC."""
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The first moment after it, in UTC."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def length(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    def days(self) -> list[date]:
        """Its days, the first one first."""
        return [self.first + timedelta(days=number) for number in range(self.length)]

    def before(self) -> "Period":
        """As many days just before it."""
        last = self.first - timedelta(days=1)
        return Period(last - timedelta(days=self.length - 1), last, self.zone)

    def args(self) -> dict[str, str]:
        """The query arguments of its address."""
        if self.preset != "custom":
            return {"period": self.preset}
        return {"period": "custom", "from": str(self.first), "to": str(self.last)}

    def day_of(self, moment: datetime) -> date:
        """The day of a moment in its zone."""
        return moment.astimezone(self.zone).date()

    @property
    def text(self) -> str:
        """Its days in words, like `1 Nov – 30 Nov 2026`."""
        begin = f"{self.first.day} {self.first:%b}"
        if self.first.year != self.last.year:
            begin = f"{begin} {self.first.year}"
        end = f"{self.last.day} {self.last:%b %Y}"
        return end if self.length == 1 else f"{begin} – {end}"


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name, UTC when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def read_period(
    args: Mapping[str, str], *, now: datetime, zone: ZoneInfo, default: str = DEFAULT
) -> Period:
    """The period that an address asks for: `period`, and `from` and `to` for one's own.

    Never raises: what cannot be read is the default, with the reason as `problem`.
    """
    preset = args.get("period", "")
    if preset == "custom":
        return _custom(args.get("from", ""), args.get("to", ""), now=now, zone=zone)
    if preset not in PRESETS:
        preset = default
    first, last = _preset(preset, now.astimezone(zone).date())
    return Period(first, last, zone, preset)


def _preset(preset: str, today: date) -> tuple[date, date]:
    if preset == "month":
        return today.replace(day=1), today
    if preset == "last_month":
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last
    if preset == "year":
        return today.replace(month=1, day=1), today
    return today - timedelta(days=int(preset.removesuffix("d")) - 1), today


def _custom(begin: str, end: str, *, now: datetime, zone: ZoneInfo) -> Period:
    first, last = _date(begin), _date(end)
    usual_first, usual_last = _preset(DEFAULT, now.astimezone(zone).date())
    problem = ""
    if first is None or last is None:
        problem = "Choose a first and a last day."
    elif first > last:
        problem = "The first day is after the last."
    elif (last - first).days >= LONGEST_DAYS:
        problem = f"Choose at most {LONGEST_DAYS} days."
    elif first < FIRST_DAY or last > usual_last + timedelta(days=LONGEST_DAYS):
        problem = "Choose days nearer to today."
    if problem or first is None or last is None:
        return Period(usual_first, usual_last, zone, DEFAULT, problem)
    return Period(first, last, zone)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC)


def month_of(month: str) -> tuple[datetime, datetime] | None:
    """The first moment (UTC) of a month like `2026-10`, and that of the next; None for none."""
    try:
        first = date.fromisoformat(f"{month}-01") if len(month) == 7 else None
    except ValueError:
        first = None
    if first is None or first < FIRST_DAY or first.year >= 9999:
        return None
    following = (first + timedelta(days=32)).replace(day=1)
    return _midnight(first, ZoneInfo("UTC")), _midnight(following, ZoneInfo("UTC"))


def series(period: Period, amounts: Iterable[tuple[datetime, int]]) -> list[int]:
    """Sums for each day of a period, of moments and amounts within it.

    A moment may be rounded down to its half hour or ten minutes: what falls out of the period by
    that is of its first day.
    """
    sums: dict[date, int] = dict.fromkeys(period.days(), 0)
    for moment, amount in amounts:
        sums[min(max(period.day_of(moment), period.first), period.last)] += amount
    return list(sums.values())
