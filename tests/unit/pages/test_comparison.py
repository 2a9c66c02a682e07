"""Listings side by side."""

from typing import Any

from marketplace.catalogue.pages.comparison import Compared, Row, compare_all


def compared(content: dict[str, Any] | None = None, **fields: Any) -> Compared:
    values: dict[str, Any] = {
        "kind": "integration",
        "pricing_model": "free",
        "certified": False,
        "rating": None,
        "rating_count": 0,
        "use_count": 0,
        "categories": ("CRM",),
        "latest_version": "",
        "content": content or {},
    }
    return Compared(**{**values, **fields})


def row(rows: list[Row], label: str) -> Row:
    return next(row for row in rows if row.label == label)


def test_nothing_compared_is_no_rows() -> None:
    assert compare_all([]) == []


def test_what_is_equal_does_not_differ() -> None:
    rows = compare_all([compared(), compared()])
    assert not any(row.differs for row in rows)


def test_a_difference_is_told() -> None:
    rows = compare_all([compared(pricing_model="paid"), compared()])
    assert row(rows, "Price").differs
    assert row(rows, "Price").cells == (("Paid",), ("Free",))
    assert not row(rows, "Kind").differs


def test_the_order_of_lines_is_no_difference() -> None:
    rows = compare_all(
        [compared({"works_with": ["Jira", "Slack"]}), compared({"works_with": ["Slack", "Jira"]})]
    )
    assert not row(rows, "Works with").differs


def test_a_row_that_is_empty_for_all_is_left_out() -> None:
    labels = [row.label for row in compare_all([compared(), compared()])]
    assert "Permissions" not in labels
    assert "Rating" not in labels


def test_one_that_states_nothing_differs_from_one_that_does() -> None:
    rows = compare_all([compared(), compared({"triggers": [{"name": "New"}]})])
    assert row(rows, "Triggers").cells == ((), ("1",))
    assert row(rows, "Triggers").differs


def test_the_known_number_of_actions_counts_where_they_are_not_listed() -> None:
    rows = compare_all([compared({"action_count": 1_200})])
    assert row(rows, "Actions").cells == (("1,200",),)
