"""The code in docs/webhooks.md is run: it takes our requests and refuses forged ones."""

import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from marketplace.config import ROOT
from marketplace.core import clock
from marketplace.installs.webhooks.signing import body_of, headers_of, new_signing_secret


def code(language: str) -> str:
    text = (ROOT / "docs" / "webhooks.md").read_text()
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.S)
    return str(found)


def cases() -> list[tuple[str, dict[str, str], str, bool]]:
    old, new = new_signing_secret(), new_signing_secret()
    at = clock.now()
    body = body_of("review.posted", at, {"title": "Grüße"})
    headers = headers_of("evt_1", body, [new, old], at=at)
    late = headers_of("evt_1", body, [new], at=at - timedelta(minutes=6))
    text = body.decode()
    return [
        (new, headers, text, True),
        (old, headers, text, True),
        (new_signing_secret(), headers, text, False),
        (new, headers, text.replace("Gr", "gr"), False),
        (new, {**headers, "webhook-id": "evt_2"}, text, False),
        (new, {**headers, "webhook-signature": "v1,AAAA v0,x"}, text, False),
        (new, late, text, False),
        (
            new,
            {name: value for name, value in headers.items() if "webhook" not in name},
            text,
            False,
        ),
    ]


def test_the_python_code_verifies() -> None:
    names: dict[str, Any] = {}
    exec(compile(code("python"), "docs/webhooks.md", "exec"), names)  # noqa: S102 - our own page
    for secret, headers, body, is_ours in cases():
        found = names["receive"](secret, headers, body.encode())
        assert found == (json.loads(body) if is_ours else None)


def test_the_javascript_code_verifies(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node.js")
    (tmp_path / "receive.mjs").write_text(code("js"))
    (tmp_path / "cases.json").write_text(json.dumps(cases()))
    (tmp_path / "run.mjs").write_text(
        "import { receive } from './receive.mjs';\n"
        "import { readFileSync } from 'node:fs';\n"
        "const cases = JSON.parse(readFileSync('cases.json', 'utf8'));\n"
        "console.log(JSON.stringify(cases.map(([s, h, b]) => receive(s, h, b))));\n"
    )
    done = subprocess.run(
        [node, "run.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    expected = [json.loads(body) if is_ours else None for _s, _h, body, is_ours in cases()]
    found = json.loads(done.stdout)
    assert [item is not None for item in found] == [item is not None for item in expected]
    assert found[0]["data"] == {"title": "Grüße"}
