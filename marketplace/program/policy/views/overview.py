"""The public pages of the program: the overview and the guide."""

from functools import lru_cache

from flask import Response, current_app, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, public
from marketplace.program.policy.guide import guide_pdf
from marketplace.program.policy.overview import Overview, overview_at
from marketplace.program.policy.views.blueprints import program


@program.get("/program")
@public("what the program offers is for everybody")
def overview() -> ResponseReturnValue:
    """Types, tiers, benefits and fees, as they hold now."""
    found = overview_at(clock.now())
    base = str(current_app.config["PUBLIC_URL"])
    response = make_response(
        render_template(
            "program_overview/overview.html",
            overview=found,
            json_ld=_json_ld(found, base) if found else None,
        )
    )
    _keep_shortly(response)
    return response


@program.get("/program/guide.pdf")
@public("what the program offers is for everybody")
@limiter.limit("60 per minute")
def guide() -> ResponseReturnValue:
    """The same as a file. Raises NotFoundError without a policy."""
    found = overview_at(clock.now())
    if found is None:
        raise NotFoundError("There is no program yet.")
    base = str(current_app.config["PUBLIC_URL"])
    response = Response(
        _guide(found, str(current_app.config["SITE_NAME"]), base + url_for("program.overview")),
        mimetype="application/pdf",
        headers={"Content-Disposition": 'inline; filename="program-guide.pdf"'},
    )
    _keep_shortly(response)
    return response


# A guide is drawn once for what it says: its value is its key.
@lru_cache(maxsize=8)
def _guide(found: Overview, site_name: str, address: str) -> bytes:
    return guide_pdf(found, site_name=site_name, address=address)


def _keep_shortly(response: Response) -> None:
    """Browsers ask again each time (304 while nothing changed); shared caches keep it for half a
    minute. A page for somebody signed in is for that browser alone."""
    response.vary.add("Cookie")
    if current_actor().is_authenticated or session or session.modified:
        response.headers["Cache-Control"] = "private, no-cache"
        return
    response.headers["Cache-Control"] = "public, max-age=0, s-maxage=30, must-revalidate"
    response.add_etag()
    response.make_conditional(request)


def _json_ld(found: Overview, base: str) -> dict[str, object]:
    """The program for search engines: https://schema.org/MemberProgram."""
    site = str(current_app.config["SITE_NAME"])
    address = base + url_for("program.overview")
    return {
        "@context": "https://schema.org",
        "@type": "MemberProgram",
        "@id": address,
        "name": found.name,
        "description": found.summary.strip() or f"The partner program of {site}.",
        "url": address,
        "hostingOrganization": {"@type": "Organization", "name": site, "url": base},
        "hasTiers": [
            {"@type": "MemberProgramTier", "name": name, "description": summary}
            for name, summary in found.tiers
        ],
    }
