"""The steps of the quick start, for the page that fills in a partner's own ids.

docs/quick-start.md has the same steps for everybody; a test runs its commands, and compares them
with these.
"""

from dataclasses import dataclass

LISTENER_PORT = 8765
CALLBACK = f"http://127.0.0.1:{LISTENER_PORT}/callback"
WEBHOOKS = f"http://127.0.0.1:{LISTENER_PORT}/webhooks"


@dataclass(frozen=True)
class Step:
    """What to do, why, and the command that does it."""

    title: str
    text: str
    command: str


def settings_command(public_url: str, client_id: str) -> str:
    """The first command: what all others need. The secrets are for the developer to paste."""
    return f"""\
export PORTICO_URL="{public_url}"
export CLIENT_ID="{client_id}"
export CLIENT_SECRET="paste the secret of the test client"
export WEBHOOK_SECRET="paste the signing secret of the endpoint"
export LISTENER_PORT="{LISTENER_PORT}"
{HELPERS}"""


HELPERS = """\
WORK="$(mktemp -d)"
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$@"; }"""

STEPS = (
    Step(
        "Ask the server what it can do",
        "One address tells all others. A client library needs nothing but it.",
        """\
curl -sS --fail "$PORTICO_URL/.well-known/oauth-authorization-server" | python3 -m json.tool""",
    ),
    Step(
        "Listen",
        "It plays your app: people come back to it with a code, and events are sent to it.",
        """\
cat > "$WORK/listen.py" <<'PYTHON'
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

work = Path(sys.argv[2])

def keep(name, content):
    (work / "new").write_bytes(content)
    (work / "new").rename(work / name)

class Listener(BaseHTTPRequestHandler):
    def do_GET(self):
        address = urlsplit(self.path)
        # Browsers ask for an icon as well.
        if address.path != "/callback" or not address.query:
            return self.send_error(404)
        keep("callback", json.dumps(dict(parse_qsl(address.query))).encode())
        self.answer(b"You can close this page and go back to the terminal.")

    def do_POST(self):
        keep("webhook.body", self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        keep("webhook.headers", json.dumps(headers).encode())
        self.answer(b"Thank you.")

    def answer(self, text):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(text)

HTTPServer(("127.0.0.1", int(sys.argv[1])), Listener).serve_forever()
PYTHON
python3 "$WORK/listen.py" "$LISTENER_PORT" "$WORK" > "$WORK/listen.log" 2>&1 &
LISTENER=$!""",
    ),
    Step(
        "Ask for consent",
        "Every request has a fresh PKCE challenge and a state. The browser opens the consent page "
        "of your sandbox; choose to install.",
        """\
VERIFIER="$(openssl rand -hex 32)"
CHALLENGE="$(printf %s "$VERIFIER" | openssl dgst -sha256 -binary | openssl base64 -A \\
  | tr '+/' '-_' | tr -d '=')"
STATE="$(openssl rand -hex 16)"
REDIRECT="http%3A%2F%2F127.0.0.1%3A$LISTENER_PORT%2Fcallback"
ADDRESS="$PORTICO_URL/oauth/authorize?response_type=code&client_id=$CLIENT_ID&redirect_uri=$REDIRECT"
ADDRESS="$ADDRESS&scope=organization.read&state=$STATE"
ADDRESS="$ADDRESS&code_challenge=$CHALLENGE&code_challenge_method=S256"
echo "If no browser opens, go to $ADDRESS"
python3 -m webbrowser "$ADDRESS\"""",
    ),
    Step(
        "Take the code",
        "Check that the answer belongs to your request and comes from this server before you use "
        "it.",
        """\
until [ -s "$WORK/callback" ]; do sleep 0.2; done
[ "$(field "$WORK/callback" state)" = "$STATE" ] && echo "The state is ours."
[ "$(field "$WORK/callback" iss)" = "$PORTICO_URL" ] && echo "The issuer is right." """.rstrip(),
    ),
    Step(
        "Exchange it for tokens",
        "Within a minute, once. The answer has an access token for an hour, a refresh token, and "
        "the installation's id.",
        """\
curl -sS --fail -u "$CLIENT_ID:$CLIENT_SECRET" -o "$WORK/token" "$PORTICO_URL/oauth/token" \\
  -d grant_type=authorization_code -d "code=$(field "$WORK/callback" code)" \\
  -d "redirect_uri=$REDIRECT" -d "code_verifier=$VERIFIER"
echo "Installed as $(field "$WORK/token" installation)\"""",
    ),
    Step(
        "Call the API",
        "The token speaks for this one installation.",
        """\
curl -sS --fail -H "Authorization: Bearer $(field "$WORK/token" access_token)" \\
  "$PORTICO_URL/api/v1/installation" | python3 -m json.tool
curl -sS --fail -H "Authorization: Bearer $(field "$WORK/token" access_token)" \\
  "$PORTICO_URL/api/v1/installation/organization" | python3 -m json.tool""",
    ),
    Step(
        "Renew the token",
        "A refresh token works once and brings the next one: keep the new one, and never use one "
        "twice, or all tokens of the installation end.",
        """\
curl -sS --fail -u "$CLIENT_ID:$CLIENT_SECRET" -o "$WORK/renewed" "$PORTICO_URL/oauth/token" \\
  -d grant_type=refresh_token -d "refresh_token=$(field "$WORK/token" refresh_token)"
echo "The next access token ends in $(field "$WORK/renewed" expires_in) seconds.\"""",
    ),
    Step(
        "Verify a webhook",
        "The install was told to your endpoint. Its signature is an HMAC of id, time and body; "
        "libraries for Standard Webhooks do this for you.",
        """\
for _ in $(seq 60); do [ -s "$WORK/webhook.headers" ] && break; sleep 1; done
if [ -s "$WORK/webhook.headers" ]; then
  KEY="$(printf %s "${WEBHOOK_SECRET#whsec_}" | openssl base64 -d -A \\
    | od -An -v -tx1 | tr -d ' \\n')"
  SIGNATURE="$( { printf '%s.%s.' "$(field "$WORK/webhook.headers" webhook-id)" \\
    "$(field "$WORK/webhook.headers" webhook-timestamp)"; cat "$WORK/webhook.body"; } \\
    | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | openssl base64 -A)"
  field "$WORK/webhook.headers" webhook-signature | grep -qF "v1,$SIGNATURE" \\
    && echo "The signature is right."
  python3 -m json.tool "$WORK/webhook.body"
else
  echo "No webhook came within a minute. Was the app installed already? Then reset the sandbox"
  echo "and begin again. Else see what the portal tells of the endpoint, under Webhooks."
fi""",
    ),
    Step(
        "See it as the partner",
        "With its own id and secret, the app speaks for you: here it lists who installed it.",
        """\
curl -sS --fail -u "$CLIENT_ID:$CLIENT_SECRET" -o "$WORK/own" "$PORTICO_URL/oauth/token" \\
  -d grant_type=client_credentials -d scope=partner.installations.read
curl -sS --fail -H "Authorization: Bearer $(field "$WORK/own" access_token)" \\
  "$PORTICO_URL/api/v1/partner/installations" | python3 -m json.tool""",
    ),
    Step(
        "Give the token back",
        "Revoking the refresh token ends everything that came of it. The API then answers 401.",
        """\
curl -sS --fail -u "$CLIENT_ID:$CLIENT_SECRET" "$PORTICO_URL/oauth/revoke" \\
  -d "token=$(field "$WORK/renewed" refresh_token)"
curl -sS -o /dev/null -w 'The API answers %{http_code}\\n' \\
  -H "Authorization: Bearer $(field "$WORK/renewed" access_token)" \\
  "$PORTICO_URL/api/v1/installation"
kill "$LISTENER\"""",
    ),
)
