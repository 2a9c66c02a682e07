"""What every template can use."""

import hashlib
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, Response, current_app, request, url_for
from markupsafe import Markup
from werkzeug.local import LocalProxy

from billing.formatting import format_bps, format_money
from marketplace.config import Settings
from marketplace.core import branding, clock
from marketplace.core.markdown import plain_text, render_markdown
from marketplace.core.permissions import current_actor
from marketplace.site.brand_color import FILTERS


@lru_cache(maxsize=512)
def _fingerprint(path: Path, _modified_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


def asset_url(filename: str) -> str:
    """The URL of a static file with its fingerprint, so that it can be cached for ever.

    A page names dozens of them, so the answer is kept; a debugging server looks again.
    """
    known: dict[str, str] = current_app.extensions.setdefault("portico_assets", {})
    if filename not in known or current_app.debug:
        path = Path(str(current_app.static_folder)) / filename
        version = _fingerprint(path, path.stat().st_mtime_ns) if path.is_file() else None
        known[filename] = url_for("static", filename=filename, v=version)
    return known[filename]


def cache_fingerprinted(response: Response) -> Response:
    """Let browsers keep a static file for ever when its address holds its fingerprint."""
    if request.endpoint == "static" and "v" in request.args and response.status_code == 200:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _zone() -> ZoneInfo:
    try:
        return ZoneInfo(current_actor().timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local_time(value: datetime | None) -> str:
    """A moment in the reader's time zone, like `23 Nov 2026, 18:40 UTC`."""
    if value is None:
        return ""
    local = value.astimezone(_zone())
    return f"{local.day} {local:%b %Y, %H:%M} {local.tzname()}"


def local_date(value: datetime | date | None) -> str:
    """A day in the reader's time zone, like `23 Nov 2026`."""
    if value is None:
        return ""
    day = value.astimezone(_zone()) if isinstance(value, datetime) else value
    return f"{day.day} {day:%b %Y}"


def time_ago(value: datetime | None) -> str:
    """How long ago a moment was, in the largest fitting unit, like `3 days ago`."""
    if value is None:
        return ""
    seconds = int((clock.now() - value).total_seconds())
    if seconds < 60:
        return "just now"
    for size, unit in (
        (31_536_000, "year"),
        (2_592_000, "month"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
    ):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count != 1 else ''} ago"
    return "just now"


def time_tag(value: datetime | None, form: str = "ago") -> Markup:
    """A <time> element: relative (`ago`), a `date` or a `time`, with the exact moment as title."""
    if value is None:
        return Markup("")
    shown = {"ago": time_ago, "date": local_date, "time": local_time}[form](value)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(timespec="seconds"), local_time(value), shown
    )


def thousands(value: int | float) -> str:
    """A number with separators, like 12,345."""
    return f"{value:,}"


def media_url(key: str | None) -> str | None:
    """The URL of a stored image, or None without one."""
    return url_for("media.show", key=key) if key else None


def setup_templates(app: Flask, settings: Settings) -> None:
    """Add the globals and filters."""
    app.after_request(cache_fingerprinted)
    app.jinja_env.globals.update(
        # Macros are imported without a context, so these two find out by themselves.
        site_name=LocalProxy(branding.site_name),
        public_url=LocalProxy(branding.site_address),
        site_brand=LocalProxy(branding.current_brand),
        asset_url=asset_url,
        media_url=media_url,
        time_tag=time_tag,
        now=clock.now,
        endpoint_exists=lambda name: name in app.view_functions,
    )
    app.jinja_env.filters.update(
        markdown=render_markdown,
        plain_text=plain_text,
        local_time=local_time,
        local_date=local_date,
        time_ago=time_ago,
        thousands=thousands,
        money=format_money,
        bps=format_bps,
        **FILTERS,
    )

    @app.context_processor
    def actor() -> dict[str, object]:
        # The same as the globals, as plain values: filters and the like take no proxies.
        return {
            "current_actor": current_actor(),
            "site_name": branding.site_name(),
            "public_url": branding.site_address(),
            "site_brand": branding.current_brand(),
        }
