"""What somebody probably meant."""

import pytest

from marketplace.catalogue.discovery.spelling import closest

NAMES = ["Salesforce", "Slack", "HubSpot CRM", "Google Calendar", "Zendesk Support", "Jira"]


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("salesfroce", "Salesforce"),
        ("SALESFOCRE", "Salesforce"),
        ("slakc", "Slack"),
        ("hubsbot crm", "HubSpot CRM"),
        ("gogle calender", "Google Calendar"),
        ("calender", "calendar"),
        ("salesforce", None),
        ("slack", None),
        ("qqqqqq", None),
        ("sl", None),
        ("", None),
    ],
)
def test_the_closest_name_is_suggested(query: str, meant: str | None) -> None:
    assert closest(query, NAMES) == meant


def test_nothing_is_suggested_without_names() -> None:
    assert closest("salesforce", []) is None
