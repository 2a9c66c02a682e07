"""Which words may stand in a group of synonyms."""

import pytest

from marketplace.catalogue.curation.synonym_rules import problems, terms_of


def test_terms_are_read_a_line_or_a_comma_each_in_their_plain_form() -> None:
    text = "CRM\n customer  relationship management ,crm;\r\n\n ＣＲＭ , C++"
    assert terms_of(text) == ["crm", "customer relationship management", "c++"]


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        (["crm", "sales"], []),
        ([], ["Enter two terms or more, one a line."]),
        (["crm"], ["Enter two terms or more, one a line."]),
        ([f"t{n}" for n in range(13)], ["Enter at most 12 terms; these are 13."]),
        (["crm", "x" * 41], [f"“{'x' * 40}…” is longer than 40 characters."]),
        (["crm", "!!"], ["“!!” has no letter or digit."]),
        (["crm", "billing"], ["“billing” is in another group."]),
    ],
)
def test_what_is_wrong_with_a_group_is_said(terms: list[str], told: list[str]) -> None:
    assert problems(terms, [["billing", "invoicing"]]) == told
