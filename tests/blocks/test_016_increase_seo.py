"""16 Increase SEO: publishing emits JSON-LD, a sitemap entry and a canonical address."""

import json
import re

from defusedxml import ElementTree
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.models import Revision
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.conftest import SignIn
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform
from tests.journeys.publishing.browser import hidden_value

_NAMESPACE = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
CHECKED = {"checklist": ["name", "words", "links", "images", "data", "scopes", "least", "asked"]}
_JSON_LD = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)


def _addresses(client: FlaskClient) -> set[str]:
    """All addresses of the sitemap, through its index."""
    found: set[str] = set()
    index = ElementTree.fromstring(client.get("/sitemap.xml").data)
    for part in index.findall("s:sitemap/s:loc", _NAMESPACE):
        path = str(part.text).removeprefix("http://localhost")
        tree = ElementTree.fromstring(client.get(path).data)
        found |= {str(each.text) for each in tree.findall("s:url/s:loc", _NAMESPACE)}
    return found


def test_016_increase_seo(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    partner = make_organization("Quayside", slug="quayside")
    make_listing(partner, published=False, slug="tide-tables")
    owner = sign_in(make_member(partner, Role.OWNER), partner)
    platform = make_platform()
    reviewers = [sign_in(make_member(platform, Role.REVIEWER), platform) for _ in range(2)]
    address = "http://localhost/listings/tide-tables"
    assert address not in _addresses(client)
    assert client.get("/listings/tide-tables").status_code == 404

    # P submits it, two of the staff approve what has new permissions.
    page = owner.get("/partner/listings/tide-tables").text
    sent = owner.post(
        "/partner/listings/tide-tables/submission", data={"version": hidden_value(page, "version")}
    )
    assert sent.status_code == 303
    review = f"/staff/reviews/{db.session.scalar(select(Revision.id))}"
    for reviewer in reviewers:
        assert address not in _addresses(client)
        version = hidden_value(reviewer.get(review).text, "version")
        done = reviewer.post(f"{review}/approval", data={**CHECKED, "version": version})
        assert done.status_code == 303

    assert address in _addresses(client)
    page = client.get("/listings/tide-tables").text
    assert f'<link rel="canonical" href="{address}">' in page
    found = [json.loads(text) for text in _JSON_LD.findall(page)]
    software = next(each for each in found if each["@type"] == "SoftwareApplication")
    assert software["name"] == "Tide Tables"
    assert software["url"] == address
    trail = next(each for each in found if each["@type"] == "BreadcrumbList")
    assert trail["itemListElement"][-1]["item"] == address
