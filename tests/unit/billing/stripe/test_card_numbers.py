"""What is taken for a card number, and what is not."""

import pytest

from marketplace.core.card_numbers import (
    fields_with_card_numbers,
    has_card_number,
    line_with_card_number,
    mask_card_numbers,
)


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424242",
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "my card is 5555555555554444, thanks",
        "378282246310005",
        "3782 822463 10005",
        "6011111111111117",
        "3566002020360505",
        "30569309025904",
        "6200000000000005",
        "2223003122003222",
        "4222222222222",
        "card:4000056655665556;",
        "(4242424242424242)",
        "4242424242424242.",
    ],
)
def test_card_numbers_are_found(text: str) -> None:
    assert has_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4242424242424241",  # the last digit is wrong
        "0000000000000000",
        "4444444444444444"[:12],
        "1234567812345670",  # passes the check digit, begins like no network
        "1796180856000",  # milliseconds
        "2026-11-29 02:50:22",
        "+49 30 901820 4242",
        "+4222222222222",
        "DE89 3704 0044 0532 0130 00",
        "pi_4242424242424242",
        "x4242424242424242",
        "4242424242424242x",
        "42424242424242424242",  # longer than any
        "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",  # a list of digits
        "12.4242424242424242",
        "4242424242424242.5",
        "550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert not has_card_number(text)


def test_all_but_the_last_digits_are_masked() -> None:
    text = "paid 4242 4242 4242 4242 then 378282246310005 for ord_4242424242424242"
    assert mask_card_numbers(text) == (
        "paid •••• •••• •••• 4242 then •••• •••• •••• 0005 for ord_4242424242424242"
    )


def test_json_is_searched_to_its_leaves() -> None:
    body = {
        "name": "fine",
        "card": 4242424242424242,
        "list": ["ok", {"note": "4242 4242 4242 4242"}],
        "4242424242424242": "key",
        "flag": True,
        "none": None,
    }
    assert sorted(set(fields_with_card_numbers(body))) == ["body", "card", "list.1.note"]


def test_the_line_of_the_first_one_is_told() -> None:
    assert line_with_card_number("a\n4242424242424242\n4242424242424242") == 2
    assert line_with_card_number("a\n4242424242424241") is None
