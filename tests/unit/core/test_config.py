"""Settings: typed, and the application refuses to start when one is wrong, naming it."""

import re
from pathlib import Path

import pytest

from marketplace.config import ROOT, ConfigError, Settings, load_settings

GOOD = {
    "SECRET_KEY": "kJ8s7dQ2mP4xV9bN1wR6tY3uC5zA0eLf",
    "PUBLIC_URL": "https://marketplace.example",
    "DATABASE_URL": "postgresql://portico@127.0.0.1/portico",
}
OIDC = {
    "OIDC_PROVIDERS": "acme",
    "OIDC_ACME_ISSUER": "https://login.acme.example",
    "OIDC_ACME_CLIENT_ID": "portico",
    "OIDC_ACME_CLIENT_SECRET": "hush",
}


def test_a_complete_environment_is_accepted() -> None:
    settings = load_settings({**GOOD, **OIDC, "STAFF_EMAILS": "Ada@Example.com, bo@example.com"})
    assert settings.is_production
    assert settings.oidc_providers[0].label == "Acme"
    assert settings.staff_emails == ("ada@example.com", "bo@example.com")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "changeme"}, "SECRET_KEY"),
        ({"SECRET_KEY": "a" * 64}, "SECRET_KEY"),
        ({"SECRET_KEY": "demo-kJ8s7dQ2mP4xV9bN1wR6tY3uC5zA0eLf"}, "SECRET_KEY"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "marketplace.example"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://marketplace.example/path"}, "PUBLIC_URL"),
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"DATABASE_URL": "mysql://root@localhost/x"}, "DATABASE_URL"),
        ({"PORTICO_ENV": "staging"}, "PORTICO_ENV"),
        ({"MAIL_BACKEND": "pigeon"}, "MAIL_BACKEND"),
        ({"MAIL_BACKEND": "smtp"}, "SMTP_HOST"),
        ({"SMTP_PORT": "many"}, "SMTP_PORT"),
        ({"TRUSTED_PROXIES": "99"}, "TRUSTED_PROXIES"),
        ({"MEILISEARCH_URL": "search.internal"}, "MEILISEARCH_URL"),
        ({"REDIS_URL": "http://127.0.0.1:6379"}, "REDIS_URL"),
        ({"STORAGE_URL": "ftp://bucket"}, "STORAGE_URL"),
        ({"S3_ENDPOINT": "s3.internal"}, "S3_ENDPOINT"),
        ({"STAFF_EMAILS": "ada"}, "STAFF_EMAILS"),
        ({"OIDC_PROVIDERS": "ac me"}, "OIDC_PROVIDERS"),
        ({**OIDC, "OIDC_ACME_ISSUER": ""}, "OIDC_ACME_ISSUER"),
        ({**OIDC, "OIDC_ACME_ISSUER": "http://login.acme.example"}, "OIDC_ACME_ISSUER"),
        ({**OIDC, "OIDC_ACME_CLIENT_ID": ""}, "OIDC_ACME_CLIENT_ID"),
        ({**OIDC, "OIDC_ACME_CLIENT_SECRET": ""}, "OIDC_ACME_CLIENT_SECRET"),
        ({"OIDC_PROVIDERS": "google"}, "OIDC_GOOGLE_CLIENT_ID"),
        (
            {
                "OIDC_PROVIDERS": "demo",
                "OIDC_DEMO_ISSUER": "http://127.0.0.1:8001",
                "OIDC_DEMO_CLIENT_ID": "x",
                "OIDC_DEMO_CLIENT_SECRET": "y",
            },
            "OIDC_PROVIDERS",
        ),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(change: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        load_settings({**GOOD, **change})


def test_secrets_are_not_shown_by_repr() -> None:
    settings = load_settings({**GOOD, **OIDC, "REDIS_URL": "redis://:hidden-word@127.0.0.1/0"})
    assert GOOD["SECRET_KEY"] not in repr(settings)
    assert "hush" not in repr(settings)
    assert "hidden-word" not in repr(settings)


def test_the_demo_needs_no_setting_at_all(tmp_path: Path) -> None:
    settings = load_settings({"PORTICO_ENV": "demo", "DATA_DIR": str(tmp_path)})
    assert settings.database_url.startswith("sqlite:///")
    assert settings.meilisearch_url is None


def test_every_setting_is_explained_in_the_example_file() -> None:
    text = (ROOT / ".env.example").read_text()
    explained = set(re.findall(r"^#? ?([A-Z0-9_]+)=", text, re.MULTILINE))
    missing = {name.upper() for name in Settings.model_fields} - explained
    assert missing == set()
