"""The cockpit, and the rows behind its numbers."""

from collections.abc import Iterator
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.observability.cockpit import queries
from marketplace.observability.cockpit.forms import MessageForm
from marketplace.observability.cockpit.heat import heat_of
from marketplace.observability.cockpit.queries import PartnerFilter
from marketplace.observability.cockpit.services import write_to
from marketplace.observability.cockpit.texts import MOVES, country_name, minutes_in_words
from marketplace.observability.cockpit.views.blueprints import cockpit
from marketplace.observability.waiting import Work, waiting
from marketplace.program.goals import goal_progress
from marketplace.program.module_gate import may_go_to
from marketplace.program.onboarding.reading import coverage
from marketplace.program.policy.document import Policy
from marketplace.program.policy.live import current_policy
from marketplace.program.scorecards.queries import people_told

ON_HOME = 8


@cockpit.get("/staff/program")
@needs("program.read")
def home() -> ResponseReturnValue:
    """Goals, coverage, quiet partners, movers, queues and tiers."""
    now = clock.now()
    live = current_policy()
    policy = live.policy if live else None
    standings = queries.standings(now)
    return render_template(
        "cockpit/home.html",
        policy=policy,
        goals=goal_progress(now),
        standings=standings,
        tiers=_tiers(policy, standings.by_tier),
        heat=heat_of(coverage(), policy),
        country_name=country_name,
        quiet=queries.page_of_silences(
            now, quiet_only=True, sort="silence", page=1, per_page=ON_HOME
        ),
        moves=queries.page_of_moves(now - queries.MOVES, 1, ON_HOME),
        move_texts=MOVES,
        queues=[
            (queue, _address_of(queue.work) if may_go_to(queue.work.endpoint) else None)
            for queue in waiting(now)
        ],
        minutes_in_words=minutes_in_words,
        tier_name=_tier_name(policy),
        now=now,
    )


@cockpit.get("/staff/program/quiet")
@needs("program.read")
def quiet() -> ResponseReturnValue:
    """Partners by their silence and their reply times."""
    show_all, sort = _quiet_args()
    live = current_policy()
    return render_template(
        "cockpit/quiet.html",
        page=queries.page_of_silences(
            clock.now(),
            quiet_only=not show_all,
            sort=sort,
            page=page_number(request.args.get("page")),
        ),
        show_all=show_all,
        sort=sort,
        minutes_in_words=minutes_in_words,
        tier_name=_tier_name(live.policy if live else None),
        may_write=current_actor().is_staff_as("program_manager", "support"),
    )


@cockpit.get("/staff/program/quiet.csv")
@needs("program.read")
def quiet_csv() -> ResponseReturnValue:
    """The same as a file."""
    show_all, sort = _quiet_args()
    page = queries.page_of_silences(
        clock.now(), quiet_only=not show_all, sort=sort, page=1, per_page=queries.MOST
    )

    def lines() -> Iterator[list[object]]:
        for row in page.items:
            yield [
                row.name,
                row.partner_type,
                row.tier,
                row.last_sign,
                row.days,
                row.reply_minutes,
                row.replies,
                row.written_at,
            ]

    heads = ("partner", "type", "tier", "last sign", "silent days")
    return csv_response(
        "quiet-partners.csv", (*heads, "mean reply in minutes", "replies", "written to"), lines()
    )


@cockpit.get("/staff/program/partners")
@needs("program.read")
def partners() -> ResponseReturnValue:
    """The partners behind a number."""
    asked = _partner_filter()
    live = current_policy()
    return render_template(
        "cockpit/partners.html",
        page=queries.page_of_partners(asked, page_number(request.args.get("page"))),
        asked=asked,
        policy=live.policy if live else None,
        country_name=country_name,
        tier_name=_tier_name(live.policy if live else None),
    )


@cockpit.get("/staff/program/partners.csv")
@needs("program.read")
def partners_csv() -> ResponseReturnValue:
    """The same as a file."""
    page = queries.page_of_partners(_partner_filter(), 1, queries.MOST)
    heads = ("partner", "address", "country", "type", "tier", "state", "points", "joined")
    rows = ([*row[:5], row.state.value, row.points, row.joined_at] for row in page.items)
    return csv_response("partners.csv", heads, rows)


@cockpit.get("/staff/program/moves")
@needs("program.read")
def moves() -> ResponseReturnValue:
    """The moves of the last 30 days."""
    live = current_policy()
    page = queries.page_of_moves(clock.now() - queries.MOVES, page_number(request.args.get("page")))
    return render_template(
        "cockpit/moves.html",
        page=page,
        move_texts=MOVES,
        tier_name=_tier_name(live.policy if live else None),
    )


_WRITE = needs("partner.write_to", load=queries.find_partner, name="partner")


@cockpit.get("/staff/program/quiet/<quiet_slug>/message")
@_WRITE
def message(partner: Organization) -> ResponseReturnValue:
    """The form of a message to a partner."""
    form = MessageForm(formdata=None)
    form.form_key.data = new_public_id("msg")
    return _message_page(partner, form)


@cockpit.post("/staff/program/quiet/<quiet_slug>/message")
@_WRITE
@limiter.limit("60 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def send(partner: Organization) -> ResponseReturnValue:
    """Mail it."""
    form = MessageForm()
    form.validate()
    try:
        count = write_to(
            partner,
            subject=form.subject.data or "",
            body=form.body.data or "",
            form_key=form.form_key.data or new_public_id("msg"),
            actor=current_actor(),
        )
    except InvalidError as error:
        for name, text in error.fields.items():
            form[name].errors = [*form[name].errors, text]
        return _message_page(partner, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _message_page(partner, form), 422
    people = "person" if count == 1 else "people"
    flash(f"Sent to {count} {people} of {partner.name}." if count else "Sent before.", "success")
    return redirect(url_for("cockpit.quiet"), 303)


def _message_page(partner: Organization, form: MessageForm) -> str:
    return render_template(
        "cockpit/message.html", partner=partner, form=form, receivers=people_told(partner.id)
    )


def _quiet_args() -> tuple[bool, str]:
    sort = "replies" if request.args.get("sort") == "replies" else "silence"
    return request.args.get("show") == "all", sort


def _partner_filter() -> PartnerFilter:
    def text(name: str) -> str | None:
        value = request.args.get(name)
        return None if value is None else value.replace("\0", "")[:40]

    country, kind = text("country"), text("type")
    return PartnerFilter(
        country="" if country == "none" else (country.upper() if country else None),
        partner_type="" if kind == "none" else (kind or None),
        tier=text("tier") or "",
        state=text("state") or "",
    )


def _address_of(work: Work) -> str:
    return url_for(work.endpoint, **dict(work.args))


def _tiers(policy: Policy | None, by_tier: Any) -> list[dict[str, Any]]:
    """Bars of the tiers, the lowest first, and those that the policy does not know any more."""
    known = [(tier.key, tier.name) for tier in policy.tiers] if policy else []
    others = [(key, key) for key in sorted(by_tier) if key not in {k for k, _name in known}]
    return [
        {
            "label": name,
            "value": by_tier.get(key, 0),
            "href": url_for("cockpit.partners", tier=key),
        }
        for key, name in [*known, *others]
    ]


def _tier_name(policy: Policy | None) -> Any:
    def name(key: str | None) -> str:
        tier = policy.tier(key) if policy else None
        return tier.name if tier else key or "–"

    return name
