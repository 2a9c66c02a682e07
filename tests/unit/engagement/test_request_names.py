"""When two wishes are one."""

import pytest

from marketplace.catalogue.engagement.request_names import name_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("HubSpot", "hubspot"),
        ("  hub-spot ", "hubspot"),
        ("HubSpot integration", "hubspot"),
        ("The HubSpot connector", "hubspot"),
        ("Café Ordéré", "cafeordere"),
        ("C++", "c++"),
        ("C#", "c#"),
        ("Integration", "integration"),
        ("Плетень", "плетень"),
        ("北京", "北京"),
        ("ＨｕｂＳｐｏｔ", "hubspot"),
        ("", ""),
        ("   ", ""),
        ("!?… –", ""),
        ("+++", ""),
        ("x" * 300, "x" * 80),
    ],
)
def test_a_name_has_one_key_however_it_is_written(name: str, key: str) -> None:
    assert name_key(name) == key
