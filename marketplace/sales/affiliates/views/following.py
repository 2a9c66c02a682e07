"""Following an affiliate's link, and what a visitor lets us remember of it."""

from urllib.parse import urlsplit

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address

from billing.affiliates.clicks import (
    counts_clicks,
    find_link,
    is_bot,
    let_follow,
    record_click,
)
from marketplace.core.errors import NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, public
from marketplace.identity.next_path import local_path
from marketplace.sales.affiliates import visitors
from marketplace.sales.affiliates.views.blueprints import affiliates


@affiliates.get("/r/<code>")
@public("a link that anybody may follow")
@limiter.limit("120 per minute")
def follow(code: str) -> ResponseReturnValue:
    """Count the visit and lead on. `?sub=` is the affiliate's own name for where it came from."""
    link = find_link(code[:40])
    if link is None:
        raise NotFoundError("This link leads nowhere. It may have been copied in part.")
    target = local_path(link.target, "/")
    if not counts_clicks(link) or not _is_visit():
        return _lead(target)
    bot = is_bot(request.user_agent.string)
    visitor = visitors.visitor_hash()
    click = record_click(
        link,
        visitor_hash=visitor,
        address_hash=visitors.daily_address_hash(get_remote_address()),
        sub_id=request.args.get("sub", ""),
        referrer_host=_referrer_host(),
        bot=bot,
    )
    if bot:
        return _lead(target)
    organization_id = current_actor().organization_id
    if organization_id is not None:
        g.portico_click_id = click.id
        visitors.remember_visitor(organization_id)
        return _lead(target)
    if visitor is None:
        return _lead(visitors.with_click(target, click.id))
    response = _lead(target)
    # It is to be looked at again once somebody signs in here.
    visitors.set_cookie(response)
    return response


@affiliates.post("/affiliate-links/remember")
@public("a visitor agrees to a cookie for a click of its own")
@limiter.limit("30 per minute")
def remember() -> ResponseReturnValue:
    """Set the cookie: the visitor agreed."""
    response = make_response(redirect(local_path(request.form.get("next"), "/"), code=303))
    click_id = visitors.click_of(request.form.get("click", ""))
    if click_id is not None:
        let_follow(click_id, visitors.set_cookie(response))
    return response


@affiliates.get("/affiliate-links")
@public("says what we keep of visitors who follow a link")
def about() -> ResponseReturnValue:
    """What a link of an affiliate is, and what is kept."""
    return render_template("affiliates/about.html", has_cookie=visitors.visitor_hash() is not None)


@affiliates.post("/affiliate-links/forget")
@public("a visitor takes a cookie of its own back")
def forget() -> ResponseReturnValue:
    """Take the cookie back."""
    response = make_response(redirect(url_for("affiliates.about"), code=303))
    visitors.forget(response)
    flash("Forgotten: this browser carries no mark of a link any more.", "success")
    return response


def _is_visit() -> bool:
    """Whether a person's browser goes there: no preview, no picture, no frame of another page."""
    if request.method != "GET":
        return False
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return "prefetch" not in purpose and request.headers.get("Sec-Fetch-Dest", "document") in {
        "document",
        "empty",
    }


def _referrer_host() -> str:
    try:
        host = urlsplit(request.referrer or "").hostname or ""
    except ValueError:
        return ""
    return host if host != urlsplit(request.host_url).hostname else ""


def _lead(target: str) -> Response:
    response = make_response(redirect(target, code=302))
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
