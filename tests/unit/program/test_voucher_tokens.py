"""How tokens look, and what counts as one."""

import pytest

from marketplace.program.vouchers.tokens import ALPHABET, hash_of, new_token, tidy_token


def test_a_token_is_sixteen_letters_and_digits_that_are_not_mistaken() -> None:
    token = new_token()
    assert len(token) == 19
    assert token.count("-") == 3
    assert not set("01OIL") & set(ALPHABET)
    assert len({new_token() for _ in range(200)}) == 200


@pytest.mark.parametrize(
    "typed",
    ["ABCD-EFGH-JKMN-PQRS", "abcdefghjkmnpqrs", " ABCD EFGH JKMN PQRS\n", "ABCD–EFGH–JKMN–PQRS"],
)
def test_however_it_is_typed_it_is_the_same_token(typed: str) -> None:
    assert hash_of(typed) == hash_of("ABCD-EFGH-JKMN-PQRS")


@pytest.mark.parametrize("typed", ["", "ABCD", "ABCD-EFGH-JKMN-PQR0", "x" * 10_000, "\0" * 16])
def test_what_can_be_no_token_is_told_apart(typed: str) -> None:
    assert tidy_token(typed) == ""
