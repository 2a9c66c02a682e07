"""Pages of a list, always bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select

from marketplace.core.database import db

T = TypeVar("T")
MAX_PAGE = 10_000


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list: `items`, and the `total` of all pages. Pages count from 1."""

    items: Sequence[T]
    total: int
    page: int
    per_page: int

    @property
    def pages(self) -> int:
        """How many pages there are; at least 1."""
        return max(1, -(-self.total // self.per_page))

    @property
    def has_previous(self) -> bool:
        return self.page > 1

    @property
    def has_next(self) -> bool:
        return self.page < self.pages

    @property
    def first(self) -> int:
        """The number of the first item of this page, 0 for an empty list."""
        return 0 if self.total == 0 else (self.page - 1) * self.per_page + 1

    @property
    def last(self) -> int:
        """The number of the last item of this page."""
        return min(self.page * self.per_page, self.total)


def page_number(value: str | None) -> int:
    """A page number from a query string; anything unusable is page 1."""
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 6:
        return 1
    return min(max(int(value), 1), MAX_PAGE)


def paginate(query: Select[Any], *, page: int, per_page: int, unique: bool = False) -> Page[Any]:
    """Run `query` for one page of entities, with one more query for the total. Beyond the last
    page is the last one."""
    session = db.session
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    page = max(1, min(page, -(-total // per_page)))
    result = session.scalars(query.limit(per_page).offset((page - 1) * per_page))
    items = result.unique().all() if unique else result.all()
    return Page(items=items, total=total, page=page, per_page=per_page)
