"""Slugs, device names, CSV cells, and sign-ins under way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marketplace.identity import pending_sign_in
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.devices import device_name
from marketplace.identity.id_token import (
    TokenRefusedError,
    allowed_algorithms,
    expected_issuer,
)
from marketplace.identity.member_export import safe_cell
from marketplace.identity.slugs import free_slug, slug_base

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Ocean Data", "ocean-data"),
        ("  Café Zürich & Söhne ", "cafe-zurich-sohne"),
        ("日本", "organization"),
        ("New", "organization-new"),
        ("X", "organization-x"),
        ("a" * 80, "a" * 60),
        ("../../etc", "etc"),
    ],
)
def test_a_slug_is_made_of_plain_letters(name: str, slug: str) -> None:
    assert slug_base(name) == slug


def test_a_taken_slug_is_numbered() -> None:
    assert (
        free_slug("Ocean Data", {"ocean-data", "ocean-data-2", "ocean-database"}) == "ocean-data-3"
    )


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) AppleWebKit/605.1 (KHTML, like Gecko) "
            "Version/18.0 Safari/605.1",
            "Safari on Mac",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) CriOS/140.0 Safari/604.1", "Chrome on iPhone"),
        ("curl/8.0", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_device_is_named_for_its_owner(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_a_spreadsheet_would_run_is_shown_instead(value: str) -> None:
    assert safe_cell(value) == "'" + value


def test_other_cells_stay_as_they_are() -> None:
    assert safe_cell("Ada = Okafor") == "Ada = Okafor"
    assert safe_cell("") == ""


@pytest.mark.parametrize(
    ("announced", "allowed"),
    [
        (["RS256", "none"], ["RS256"]),
        (["none"], []),
        (["HS256", "HS512"], []),
        (["ES256", "EdDSA"], ["ES256", "EdDSA"]),
        (None, ["RS256"]),
        ("RS256", ["RS256"]),
        ([None, 7, {}], []),
    ],
)
def test_no_shared_secret_and_no_unsigned_algorithm_is_taken(
    announced: object, allowed: list[str]
) -> None:
    assert allowed_algorithms(announced) == allowed


def test_an_issuer_without_a_place_for_the_tenant_stays_as_it_is() -> None:
    assert expected_issuer("https://a.example", "anything") == "https://a.example"


@pytest.mark.parametrize("tenant", [None, "", "common", "..", 7, "1" * 36, "A" * 36])
def test_only_a_guid_is_a_tenant(tenant: object) -> None:
    with pytest.raises(TokenRefusedError):
        expected_issuer("https://a.example/{tenantid}/v2.0", tenant)


def begin(kept: dict[str, Any], at: datetime = NOW) -> pending_sign_in.PendingSignIn:
    return pending_sign_in.begin(kept, provider="acme", next_path="/", link_user_id=None, now=at)


def test_a_sign_in_under_way_is_taken_once() -> None:
    kept: dict[str, Any] = {}
    pending = begin(kept)
    found = pending_sign_in.take(kept, provider="acme", state=pending.state, now=NOW)
    assert found == pending
    assert pending_sign_in.take(kept, provider="acme", state=pending.state, now=NOW) is None
    assert kept == {}


def test_a_sign_in_under_way_belongs_to_its_provider() -> None:
    kept: dict[str, Any] = {}
    pending = begin(kept)
    assert pending_sign_in.take(kept, provider="other", state=pending.state, now=NOW) is None


def test_an_old_sign_in_is_forgotten() -> None:
    kept: dict[str, Any] = {}
    pending = begin(kept)
    late = NOW + pending_sign_in.LIFETIME + timedelta(seconds=1)
    assert pending_sign_in.take(kept, provider="acme", state=pending.state, now=late) is None


def test_the_oldest_of_many_sign_ins_gives_way() -> None:
    kept: dict[str, Any] = {}
    first = begin(kept)
    for _ in range(pending_sign_in.MOST_AT_A_TIME):
        last = begin(kept)
    assert len(kept[pending_sign_in.KEY]) == pending_sign_in.MOST_AT_A_TIME
    assert pending_sign_in.take(kept, provider="acme", state=first.state, now=NOW) is None
    assert pending_sign_in.take(kept, provider="acme", state=last.state, now=NOW) == last


def test_countries_are_those_of_iso_3166() -> None:
    assert len(COUNTRIES) == 249
    assert COUNTRIES["NG"] == "Nigeria"
    assert {"EU", "UN", "ZZ", "XK"}.isdisjoint(COUNTRIES)
