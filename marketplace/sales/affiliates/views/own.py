"""An affiliate's own pages: what it is a member of, its links, and programs to join."""

from collections.abc import Sequence
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.affiliates import joining, links
from billing.affiliates.clicks import MOST_LEADS_A_DAY
from billing.models import (
    Affiliate,
    AffiliateLink,
    AffiliateProgram,
    AffiliateState,
    PromotionCode,
)
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.sales.affiliates import texts
from marketplace.sales.affiliates.forms import EmptyForm, LinkForm, PitchForm
from marketplace.sales.affiliates.mails import tell_asked
from marketplace.sales.affiliates.qr_codes import qr_png, qr_svg
from marketplace.sales.affiliates.queries import own as queries
from marketplace.sales.affiliates.queries import programs as program_queries
from marketplace.sales.affiliates.queries.figures import (
    course_of,
    course_of_link,
    figures_by_affiliate,
    figures_by_link,
    figures_by_sub_id,
)
from marketplace.sales.affiliates.queries.people import organizations_by_id
from marketplace.sales.affiliates.views.blueprints import affiliates
from marketplace.sales.form_errors import show_errors

_OWN = "/partner/affiliate/memberships/<affiliate_id>"
_LINK = "/partner/affiliate/links/<int:link_id>"


@affiliates.get("/partner/affiliate")
@needs("affiliate.join")
def home() -> ResponseReturnValue:
    """The organization's memberships with their figures."""
    found = queries.memberships_of(current_actor().organization_id or 0)
    return render_template(
        "affiliates/home.html",
        memberships=found,
        figures=figures_by_affiliate([row.id for row in found]),
        course=course_of(Affiliate.organization_id == current_actor().organization_id),
        **_owners([row.program for row in found]),
        texts=texts,
    )


@affiliates.get("/partner/affiliate/programs")
@needs("affiliate.join")
def find() -> ResponseReturnValue:
    """Programs to join."""
    q = " ".join(request.args.get("q", "").replace("\x00", "").split())[:80]
    own_id = current_actor().organization_id or 0
    page = queries.page_of_programs(own_id, q, page_number(request.args.get("page")))
    joined = {row.program_id: row for row in queries.memberships_of(own_id)}
    return render_template(
        "affiliates/find.html", page=page, q=q, joined=joined, **_owners(page.items), texts=texts
    )


@affiliates.get("/partner/affiliate/programs/<program_id>")
@needs("affiliate.join", load=queries.find_joinable, name="program")
def terms(program: AffiliateProgram) -> ResponseReturnValue:
    """What a program pays, before joining it."""
    return _terms_page(program, PitchForm(formdata=None))


@affiliates.post("/partner/affiliate/programs/<program_id>/join")
@needs("affiliate.join", load=queries.find_joinable, name="program")
@limiter.limit("30 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def join(program: AffiliateProgram) -> ResponseReturnValue:
    """Join it, or ask to."""
    form = PitchForm()
    own_id = current_actor().organization_id or 0
    before = queries.membership(program.id, own_id)
    was = before.state if before else None
    try:
        affiliate = joining.join(
            program, own_id, form.pitch.data or "", by_user_id=current_actor().user_id
        )
    except InvalidError as error:
        show_errors(form, error)
        return _terms_page(program, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("affiliates.terms", program_id=program.public_id), code=303)
    if affiliate.state is AffiliateState.PENDING and was is not AffiliateState.PENDING:
        tell_asked(affiliate, program)
        flash("Asked. We mail you what they decide.", "success")
    elif affiliate.state is AffiliateState.ACTIVE and was is not AffiliateState.ACTIVE:
        flash("You are in. Make your first link.", "success")
    return _to(affiliate)


@affiliates.get(_OWN)
@needs("affiliate.manage", load=program_queries.find_affiliate, name="affiliate")
def membership(affiliate: Affiliate) -> ResponseReturnValue:
    """One membership: links, codes, sources, sales."""
    return _membership_page(affiliate, LinkForm(formdata=None))


@affiliates.post(f"{_OWN}/links")
@needs("affiliate.manage", load=program_queries.find_affiliate, name="affiliate")
def link_create(affiliate: Affiliate) -> ResponseReturnValue:
    """Make a link."""
    form = LinkForm()
    try:
        made = links.make_link(
            affiliate,
            _target(affiliate.program, form.target.data or ""),
            name=form.name.data or "",
            code=form.code.data or "",
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _membership_page(affiliate, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(affiliate)
    flash("The link is ready.", "success")
    return redirect(url_for("affiliates.link", link_id=made.id), code=303)


@affiliates.post(f"{_OWN}/key")
@needs("affiliate.manage", load=program_queries.find_affiliate, name="affiliate")
def key_create(affiliate: Affiliate) -> ResponseReturnValue:
    """Make a key for the affiliate's server, and show it this once."""
    try:
        key = links.new_key(affiliate, by_user_id=current_actor().user_id)
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(affiliate)
    return render_template(
        "affiliates/key.html",
        affiliate=affiliate,
        program=affiliate.program,
        key=key,
        most=MOST_LEADS_A_DAY,
        example=_example(key),
    )


@affiliates.get(f"{_OWN}/leaving")
@needs("affiliate.manage", load=program_queries.find_affiliate, name="affiliate")
def leaving(affiliate: Affiliate) -> ResponseReturnValue:
    """Say what leaving means."""
    return render_template(
        "affiliates/leaving.html", affiliate=affiliate, program=affiliate.program, form=EmptyForm()
    )


@affiliates.post(f"{_OWN}/leaving")
@needs("affiliate.manage", load=program_queries.find_affiliate, name="affiliate")
def leave(affiliate: Affiliate) -> ResponseReturnValue:
    """Leave the program."""
    if joining.leave(affiliate, by_user_id=current_actor().user_id):
        flash(f"You have left {affiliate.program.name}.", "success")
    return redirect(url_for("affiliates.home"), code=303)


@affiliates.get(_LINK)
@needs("affiliate_link.manage", load=queries.find_link, name="link")
def link(link: AffiliateLink) -> ResponseReturnValue:
    """One link with its QR code."""
    return render_template(
        "affiliates/link.html",
        link=link,
        affiliate=link.affiliate,
        program=link.affiliate.program,
        address=address_of(link),
        total=figures_by_link([link.id])[link.id],
        course=course_of_link(link.id),
    )


@affiliates.get(f"{_LINK}/qr.svg")
@needs("affiliate_link.manage", load=queries.find_link, name="link")
def link_qr_svg(link: AffiliateLink) -> ResponseReturnValue:
    """The QR code as SVG."""
    return _file(qr_svg(address_of(link)), "image/svg+xml", f"{link.code}.svg")


@affiliates.get(f"{_LINK}/qr.png")
@needs("affiliate_link.manage", load=queries.find_link, name="link")
def link_qr_png(link: AffiliateLink) -> ResponseReturnValue:
    """The QR code as PNG."""
    return _file(qr_png(address_of(link)), "image/png", f"{link.code}.png")


@affiliates.post(f"{_LINK}/disable")
@needs("affiliate_link.manage", load=queries.find_link, name="link")
def link_disable(link: AffiliateLink) -> ResponseReturnValue:
    """Let its clicks count for nothing."""
    if links.switch_link(link, on=False, by_user_id=current_actor().user_id):
        flash("Switched off: it leads on, but its clicks count for nothing.", "success")
    return redirect(url_for("affiliates.link", link_id=link.id), code=303)


@affiliates.post(f"{_LINK}/enable")
@needs("affiliate_link.manage", load=queries.find_link, name="link")
def link_enable(link: AffiliateLink) -> ResponseReturnValue:
    """Let its clicks count again."""
    if links.switch_link(link, on=True, by_user_id=current_actor().user_id):
        flash("Switched on.", "success")
    return redirect(url_for("affiliates.link", link_id=link.id), code=303)


@affiliates.get(f"{_OWN}/codes/<int:code_id>/qr.svg")
@needs("affiliate.manage", load=program_queries.find_affiliate_of_code, name="affiliate")
def code_qr_svg(affiliate: Affiliate) -> ResponseReturnValue:
    """The QR code of a promotion code's address as SVG."""
    code, address = _landing(affiliate)
    return _file(qr_svg(address), "image/svg+xml", f"{code.code}.svg")


@affiliates.get(f"{_OWN}/codes/<int:code_id>/qr.png")
@needs("affiliate.manage", load=program_queries.find_affiliate_of_code, name="affiliate")
def code_qr_png(affiliate: Affiliate) -> ResponseReturnValue:
    """The QR code of a promotion code's address as PNG."""
    code, address = _landing(affiliate)
    return _file(qr_png(address), "image/png", f"{code.code}.png")


def landings_of(affiliate: Affiliate, codes: Sequence[PromotionCode]) -> dict[int, str]:
    """The whole addresses of codes: a listing's plans, with the code filled in."""
    found = program_queries.landing_listings(affiliate.program, codes)
    public_url = str(current_app.config["PUBLIC_URL"])
    return {
        code.id: public_url + url_for("shop.choose", slug=found[code.id].slug, code=code.code)
        for code in codes
        if code.id in found
    }


def _landing(affiliate: Affiliate) -> tuple[PromotionCode, str]:
    """The code of the address that is asked for, and its own. Raises NotFoundError."""
    code = program_queries.code_of(affiliate.id, int((request.view_args or {})["code_id"]))
    address = landings_of(affiliate, [code]).get(code.id) if code is not None else None
    if code is None or address is None:
        raise NotFoundError
    return code, address


def address_of(link: AffiliateLink) -> str:
    """The whole address of a link."""
    return str(current_app.config["PUBLIC_URL"]) + url_for("affiliates.follow", code=link.code)


def _target(program: AffiliateProgram, slug: str) -> str:
    """The path that a form's choice means. Raises InvalidError."""
    if not slug:
        if program.listing_id is not None:
            raise InvalidError({"target": "Choose where it leads to."})
        if program.publisher_id is None:
            return url_for("site.home")
        owner = organizations_by_id([program.publisher_id])[program.publisher_id]
        return url_for("catalogue.publisher", slug=owner.slug)
    listing = queries.find_target(program, slug)
    if listing is None:
        raise InvalidError({"target": "Choose one of the list."})
    return url_for("catalogue.listing", slug=listing.slug)


def _owners(programs: Sequence[AffiliateProgram]) -> dict[str, Any]:
    """The publishers and listings of programs, by their ids. Two queries."""
    return {
        "publishers": organizations_by_id([each.publisher_id or 0 for each in programs]),
        "listings": program_queries.listings_by_id([each.listing_id for each in programs]),
    }


def _terms_page(program: AffiliateProgram, form: PitchForm) -> str:
    own_id = current_actor().organization_id
    if program.publisher_id == own_id:
        raise NotFoundError("This is your own program.")
    return render_template(
        "affiliates/terms.html",
        program=program,
        form=form,
        membership=queries.membership(program.id, own_id),
        rule=texts.current_rule(program),
        coming=texts.coming_rules(program),
        **_owners([program]),
        texts=texts,
    )


def _membership_page(affiliate: Affiliate, form: LinkForm) -> str:
    program = affiliate.program
    listings = queries.targets_of(program)
    choices = [(row.slug, row.name) for row in listings]
    if program.listing_id is None:
        whole = "The marketplace's home page" if program.publisher_id is None else "All listings"
        choices.insert(0, ("", whole))
    form.target.choices = choices_of(choices)
    rows = queries.links_of(affiliate.id)
    codes = program_queries.codes_of(affiliate.id)
    return render_template(
        "affiliates/membership.html",
        affiliate=affiliate,
        program=program,
        form=form,
        rule=texts.current_rule(program),
        coming=texts.coming_rules(program),
        total=figures_by_affiliate([affiliate.id])[affiliate.id],
        course=course_of(Affiliate.id == affiliate.id),
        links=rows,
        addresses={row.id: address_of(row) for row in rows},
        link_figures=figures_by_link([row.id for row in rows]),
        sources=figures_by_sub_id(affiliate.id),
        codes=codes,
        landings=landings_of(affiliate, codes),
        sales=program_queries.page_of_sales(affiliate.id, page_number(request.args.get("page"))),
        **_owners([program]),
        texts=texts,
    )


def _example(key: str) -> str:
    address = str(current_app.config["PUBLIC_URL"]) + url_for("affiliates_api.register")
    return (
        f"curl {address} \\\n  -H 'Authorization: Bearer {key}' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        '  -d \'{"email": "person@company.example", "sub_id": "trade-fair"}\''
    )


def _file(data: bytes, content_type: str, name: str) -> Response:
    response = Response(data, content_type=content_type)
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _to(affiliate: Affiliate) -> ResponseReturnValue:
    return redirect(url_for("affiliates.membership", affiliate_id=affiliate.public_id), code=303)
