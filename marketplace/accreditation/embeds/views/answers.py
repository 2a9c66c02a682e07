"""How what is embedded is answered: kept for minutes, compared by ETag, without a cookie."""

from flask import Response, request

from marketplace.accreditation.embeds.cards import KEEP_SECONDS
from marketplace.core.security_headers import FRAMED_BY_ANYBODY

# A frame of another site may show the page; it loads nothing from elsewhere and sends nothing.
_FRAME_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; base-uri 'none'; "
    f"form-action 'none'; {FRAMED_BY_ANYBODY}"
)


def image(svg: str, status: int = 200) -> Response:
    """A badge for other sites."""
    response = Response(svg, status=status, content_type="image/svg+xml; charset=utf-8")
    response.headers["Content-Security-Policy"] = f"default-src 'none'; {FRAMED_BY_ANYBODY}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return kept(response)


def frame(html: str) -> Response:
    """A page that any site may show in a frame."""
    response = Response(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _FRAME_POLICY
    return kept(response)


def kept(response: Response) -> Response:
    """Let caches keep it for KEEP_SECONDS, and answer 304 when it is the same."""
    response.headers["Cache-Control"] = f"public, max-age={KEEP_SECONDS}"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.add_etag()
    response.make_conditional(request)
    return response


def theme_of(value: str | None) -> str:
    """light, dark, or auto: as the reader's system has it."""
    return value if value in {"light", "dark"} else "auto"


def size_of(value: str | None) -> str:
    """small or large."""
    return "small" if value == "small" else "large"
