"""Which names could be taken for each other."""

import pytest

from marketplace.catalogue.publishing.names import NamedThing, close_names, is_close, skeleton


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Slack", "slack"),
        ("Slack", "S l a c k"),
        ("Slack", "Slack App"),
        ("Slack", "The Slack Connector"),
        ("Slack", "Sl4ck"),
        ("Slack", "S1ack"),
        ("Slack", "$lack"),
        ("Slack", "Slаck"),  # Cyrillic a
        ("Slack", "Ѕӏасk"),  # Cyrillic but for the k
        ("Slack", "Ｓｌａｃｋ"),
        ("Slack", "Släck"),
        ("Slack", "Slakc"),
        ("Slack", "Slcak"),
        ("PayPal", "PaypaI"),
        ("PayPal", "PayPall"),
        ("Moonline", "M00nline"),
        ("modern mail", "modem mail"),
        ("HubSpot", "Hub-Spot!"),
        ("Mailchimp", "Maiichimp"),
        ("Google Calendar", "Gooogle Calender"),
        ("Zoom", "ΖΟΟΜ"),  # Greek capitals
        ("Ærø Maps", "Aero Maps"),
        ("C++", "c + +"),
        ("Slack", "Slack 2"),
    ],
)
def test_these_could_be_taken_for_each_other(name: str, other: str) -> None:
    assert is_close(name, other)
    assert is_close(other, name)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Slack", "Stripe"),
        ("Google Sheets", "Google Slides"),
        ("Jira", "Jina"),
        ("Zoom", "Loom"),
        ("Box", "Fox"),
        ("C++", "C#"),
        ("Calendar for Slack", "Slack"),
        ("365", "366"),
        ("日本", "中国"),
        ("!!!", "???"),
        ("", "Slack"),
    ],
)
def test_these_could_not(name: str, other: str) -> None:
    assert not is_close(name, other)


def test_a_skeleton_of_generic_words_alone_keeps_them() -> None:
    assert skeleton("The App") == "theapp"


def test_the_first_five_close_names_are_told() -> None:
    others = [NamedThing(f"Slack{'!' * n}", f"Owner {n}") for n in range(9)]
    assert close_names("Slack", [NamedThing("Stripe", "Stripe"), *others]) == others[:5]
