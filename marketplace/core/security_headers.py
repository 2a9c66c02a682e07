"""Headers on every response: a strict content policy and no surprises for the browser."""

import re
from urllib.parse import urlsplit

from flask import Flask, Response, g

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data:",
        "style-src 'self'",
        "script-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action {form_action}",
        "frame-ancestors 'none'",
    ]
)


# How the policy of a page ends that any site may show in a frame.
FRAMED_BY_ANYBODY = "frame-ancestors *"
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)


def form_source(address: str) -> str:
    """What stands for `address` in form-action: its origin, or for what has none that a policy
    can name (an app's own scheme, an IPv6 host) its scheme. Empty for what is no address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    origin = f"{parts.scheme}://{parts.netloc}"
    if _ORIGIN.fullmatch(origin):
        return origin
    return f"{parts.scheme}:" if _SCHEME.fullmatch(parts.scheme) else ""


def let_forms_reach(response: Response, *addresses: str) -> None:
    """Let the forms of this one page lead to these addresses too.

    Browsers hold form-action against the redirects that follow a form as well, so that a form
    whose answer sends people to another site must name it.
    """
    sources = dict.fromkeys(["'self'", *filter(None, map(form_source, addresses))])
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.format(
        form_action=" ".join(sources)
    )


def setup_security_headers(app: Flask, *, https: bool, form_action: str = "'self'") -> None:
    """Add the headers. `form_action` lists where forms may lead, sign-in providers included."""
    policy = CONTENT_SECURITY_POLICY.format(form_action=form_action)

    fixed = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(self)",
    }
    if https:
        fixed["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    named = [(name, name.lower(), value) for name, value in fixed.items()]

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        # Looked through once for all of them: every answer passes here.
        present = {name.lower() for name in headers.keys()}  # noqa: SIM118 - Headers are no dict
        if headers.get("Content-Security-Policy", "").endswith(FRAMED_BY_ANYBODY):
            # The page's own policy says who may frame it; this header knows no such word.
            present.add("x-frame-options")
        for name, key, value in named:
            if key not in present:
                headers.add(name, value)
        if "cache-control" not in present and "actor" in g and g.actor.is_authenticated:
            # What one person sees is for no shared cache and no later user of the browser.
            headers["Cache-Control"] = "private, no-store"
        return response
