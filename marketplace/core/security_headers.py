"""Headers on every response: a strict content policy and no surprises for the browser."""

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


def setup_security_headers(app: Flask, *, https: bool, form_action: str = "'self'") -> None:
    """Add the headers. `form_action` lists where forms may lead, sign-in providers included."""
    policy = CONTENT_SECURITY_POLICY.format(form_action=form_action)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        if "actor" in g and g.actor.is_authenticated:
            # What one person sees is for no shared cache and no later user of the browser.
            response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(self)"
        )
        if https:
            response.headers.setdefault(
                "Strict-Transport-Security", "max-age=31536000; includeSubDomains"
            )
        return response
