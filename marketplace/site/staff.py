"""The staff's home: what waits, and the jobs that need a person."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock, jobs
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Job
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, may_open, needs
from marketplace.observability.waiting import WORK, Queue, waiting
from marketplace.site import queues, staff_policies
from marketplace.site.redaction import redacted

__all__ = ["blueprint", "staff_policies"]

blueprint = Blueprint("staff", __name__, url_prefix="/staff")

# title, then: endpoint, permission, label, icon, the queue whose count stands beside it. Entries of
# the program have the counts of the work that their pages list (observability/waiting.py).
MENU: tuple[tuple[str, tuple[tuple[str, str, str, str, str], ...]], ...] = (
    (
        "",
        (("staff.home", "staff.home", "Overview", "house", ""),),
    ),
    (
        "Queues",
        (
            ("reviewing.queue", "reviews.queue", "Listings to review", "list-checks", "reviews"),
            ("engagement.staff_flags", "flags.handle", "Flagged reviews", "flag", "flags"),
            ("engagement.staff_cases", "cases.handle", "Reports of abuse", "shield", "cases"),
            ("installs_staff.erasures", "erasures.watch", "Erasures", "archive", ""),
        ),
    ),
    (
        "Catalogue",
        (
            ("curation.listings", "standing.read", "Listings", "layout-grid", ""),
            ("curation.publishers", "standing.read", "Publishers", "building-2", ""),
            ("curation.collections", "collections.manage", "Collections", "layers", ""),
            ("curation.categories", "categories.manage", "Categories", "folder", ""),
            ("requests.index", "request.manage", "Requests", "lightbulb", "requests"),
            ("installs_staff.scopes", "scopes.manage", "Scopes", "key", ""),
        ),
    ),
    (
        "Program",
        (
            ("cockpit.home", "program.read", "Cockpit", "gauge", ""),
            ("standings.partners", "standings.read", "Partners", "users", ""),
            ("policy_staff.index", "policy.read", "Policy", "scroll-text", ""),
            ("standings.replays", "replays.use", "Time machine", "history", ""),
            (
                "applications_staff.queue",
                "applications.review",
                "Applications",
                "file-text",
                "",
            ),
            ("applications_staff.rounds", "rounds.read", "Rounds", "calendar-range", ""),
            ("onboarding_staff.tasks", "partner_tasks.work", "Tasks", "list-checks", ""),
            ("contacts_staff.inbox", "contact_requests.answer", "Requests", "inbox", ""),
            ("contacts_staff.index", "contacts.manage", "Contacts", "contact", ""),
            ("benefits_staff.claims", "benefits.fulfil", "Benefits", "gift", ""),
            ("vouchers_staff.index", "vouchers.issue", "Vouchers", "ticket", ""),
            ("hosts_staff.index", "hosts.manage", "Hosts", "globe", ""),
        ),
    ),
    (
        "Accreditation",
        (
            (
                "verification_staff.queue",
                "verifications.review",
                "Verifications",
                "badge-check",
                "",
            ),
            (
                "certification_staff.queue",
                "certifications.review",
                "Certifications",
                "shield-check",
                "",
            ),
            ("courses_staff.index", "courses.manage", "Courses", "book-open", ""),
            ("credentials_staff.index", "credentials.manage", "Credentials", "award", ""),
            ("passport_staff.index", "passports.import", "Passports", "id-card", ""),
        ),
    ),
    (
        "Pipeline",
        (
            ("leads_staff.index", "leads.manage", "Leads", "inbox", ""),
            ("deals_staff.index", "deals.manage", "Deals", "handshake", ""),
            ("ideas_staff.index", "ideas.manage", "Ideas", "lightbulb", ""),
            ("campaigns_staff.index", "campaigns.approve", "Co-marketing", "megaphone", ""),
            ("franchises_staff.index", "territories.manage", "Territories", "map", ""),
        ),
    ),
    (
        "Insight",
        (
            ("analytics_staff.index", "analytics.read_all", "Analytics", "chart-column", ""),
            (
                "reports_staff.index",
                "reports.manage",
                "Activity reports",
                "file-chart-column",
                "",
            ),
            ("governance.index", "governance.read", "Governance", "scale", ""),
        ),
    ),
    (
        "Finance",
        (
            ("finance.home", "finance.read", "Overview", "chart-column", ""),
            ("finance_payouts.runs", "payouts.read", "Payouts", "banknote", ""),
            ("finance.refunds", "refunds.handle", "Refunds", "undo-2", ""),
            ("finance.disputes", "disputes.handle", "Disputes", "shield", ""),
            ("finance.objections", "objections.handle", "Questions", "message-circle", ""),
            ("affiliates_staff.holds", "holds.handle", "Held for fraud", "lock", ""),
            ("finance.ledger", "ledger.read", "Ledger", "book-text", ""),
            ("reconciliation.home", "reconciliation.use", "Reconciliation", "scale", ""),
            ("reconciliation.periods", "periods.read", "Months", "calendar-check", ""),
            ("finance.fees", "fees.read", "Fees", "percent", ""),
            ("selling_staff.discounts", "platform_discounts.manage", "Discounts", "tag", ""),
            ("selling_staff.taxes", "taxes.manage", "Taxes", "landmark", ""),
            (
                "affiliates_staff.programs",
                "platform_programs.manage",
                "Affiliates",
                "megaphone",
                "",
            ),
            ("stripe_staff.events", "stripe.watch", "Stripe", "webhook", ""),
        ),
    ),
    (
        "Search",
        (
            ("curation.search_log", "search_log.read", "Searches", "chart-column", ""),
            ("curation.synonyms", "synonyms.manage", "Synonyms", "link", ""),
        ),
    ),
    ("System", (("staff.jobs_page", "staff.jobs", "Jobs", "workflow", "dead_jobs"),)),
)


@blueprint.app_context_processor
def _side_menu() -> dict[str, Any]:
    """The staff's side menu, for every page below /staff."""
    actor = current_actor()
    if not request.path.startswith("/staff") or not actor.is_staff:
        return {}
    counts = queues.waiting()
    of_program: dict[str, int] = {}
    for queue in _program_queues():
        of_program[queue.work.menu] = of_program.get(queue.work.menu, 0) + queue.count
    groups = []
    for title, entries in MENU:
        items = [
            {
                "label": label,
                "href": url_for(endpoint),
                "icon": icon,
                "count": counts[name].count if name else of_program.get(endpoint),
                "tone": "danger" if name == "dead_jobs" else "neutral",
                "current": _is_current(endpoint),
            }
            for endpoint, permission, label, icon, name in entries
            if endpoint in current_app.view_functions and actor.can(permission)
        ]
        if items:
            groups.append({"title": title, "items": items})
    return {"staff_nav": groups}


def _program_queues() -> list[Queue]:
    """What of the program waits for somebody with the reader's rights. One query."""
    actor = current_actor()
    views = current_app.view_functions
    return waiting(
        clock.now(),
        {work.key for work in WORK if may_open(actor, views.get(work.endpoint))},
        inbox_of=None if actor.can("contacts.manage") else actor.user_id,
    )


def _is_current(endpoint: str) -> bool:
    if endpoint == request.endpoint:
        return True
    base = url_for(endpoint)
    return base not in {"/staff", "/staff/finance"} and request.path.startswith(base + "/")


@blueprint.get("")
@needs("staff.home")
def home() -> ResponseReturnValue:
    """What waits, and how search and jobs do."""
    actor = current_actor()
    health = current_app.extensions["portico_search"].health()
    return render_template(
        "staff/home.html",
        queues=queues.waiting(),
        program_queues=[
            (queue, url_for(queue.work.endpoint, **dict(queue.work.args)))
            for queue in _program_queues()
        ],
        health=health,
        jobs=jobs.counts(),
        late=jobs.oldest_due_age(),
        may={
            name: actor.can(permission)
            for name, permission in (
                ("reviews", "reviews.queue"),
                ("flags", "flags.handle"),
                ("cases", "cases.handle"),
                ("requests", "request.manage"),
                ("jobs", "staff.jobs"),
                ("searches", "search_log.read"),
                ("collections", "collections.manage"),
                ("standing", "standing.read"),
            )
        },
    )


@blueprint.get("/jobs")
@needs("staff.jobs")
def jobs_page() -> ResponseReturnValue:
    """Dead jobs with their errors, and how many jobs are in each state."""
    page = queues.page_of_dead_jobs(page_number(request.args.get("page")))
    return render_template(
        "staff/jobs.html",
        page=page,
        counts=jobs.counts(),
        late=jobs.oldest_due_age(),
        errors={job.id: redacted(job.last_error) for job in page.items},
    )


@blueprint.post("/jobs/<int:job_id>/retry")
@needs("staff.jobs", load=queues.find_job, name="job")
def retry_job(job: Job) -> ResponseReturnValue:
    """Let a dead job run again. Repeating it is harmless."""
    if jobs.retry_dead(job.id):
        record_fact(
            "job.retried",
            subject=("job", job.id),
            actor_user_id=current_actor().user_id,
            data={"kind": job.kind},
        )
        flash("The job runs again.", "success")
    else:
        flash("This job is not dead any more.", "info")
    return redirect(url_for("staff.jobs_page"), code=303)
