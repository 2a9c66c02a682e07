"""What the app is told by its environment."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The marketplace, what it gave this app, and where the app is and keeps its things."""

    portico_url: str
    client_id: str
    client_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    app_url: str
    data_dir: Path
    name: str

    @property
    def redirect_uri(self) -> str:
        """Registered with the client; compared character by character."""
        return f"{self.app_url}/oauth/callback"


def read_settings(environ: Mapping[str, str], *, host: str, port: int) -> Settings:
    """Read the settings. Raises SystemExit naming the variable that is missing."""
    for name in ("PORTICO_URL", "CLIENT_ID"):
        if not environ.get(name):
            raise SystemExit(f"{name} is not set; see examples/sample_app/README.md")
    # A browser cannot go to an address that only means "every interface".
    shown = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not bound
    data_dir = Path(environ.get("DATA_DIR") or "instance/sample_app").resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    return Settings(
        portico_url=environ["PORTICO_URL"].rstrip("/"),
        client_id=environ["CLIENT_ID"],
        # A public client has none, and proves itself by PKCE alone.
        client_secret=environ.get("CLIENT_SECRET", ""),
        webhook_secret=environ.get("WEBHOOK_SECRET", ""),
        app_url=(environ.get("APP_URL") or f"http://{shown}:{port}").rstrip("/"),
        data_dir=data_dir,
        name=environ.get("APP_NAME") or "Sample app",
    )


def kept_cookie_key(data_dir: Path) -> str:
    """The key that signs the app's own cookies, made once."""
    path = data_dir / "cookie_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text()
