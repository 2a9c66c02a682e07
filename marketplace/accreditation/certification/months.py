"""Whole months after a day."""

from calendar import monthrange
from datetime import datetime


def months_after(moment: datetime, months: int) -> datetime:
    """The same day and time so many months later; the month's last day where there is none."""
    number = moment.month - 1 + months
    year, month = moment.year + number // 12, number % 12 + 1
    day = min(moment.day, monthrange(year, month)[1])
    return moment.replace(year=year, month=month, day=day)
