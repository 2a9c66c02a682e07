"""The two commands, as an operator meets them."""

import json
from pathlib import Path

from flask import Flask

GOOD = [
    {"record": "category", "slug": "weather", "name": "Weather"},
    {"record": "publisher", "slug": "harbour", "name": "Harbour"},
    {
        "record": "listing",
        "slug": "tides",
        "publisher": "harbour",
        "kind": "integration",
        "name": "Tides",
        "tagline": "Tells the tides of four thousand ports",
        "description": "Writes the day's high and low water into the calendar you use.",
        "categories": ["weather"],
    },
]


def test_import_prints_counts_and_names_bad_lines(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in GOOD) + "\nnot json\n")
    run = app.test_cli_runner()
    result = run.invoke(args=["catalogue", "import", "--dry-run", str(file)])
    assert result.exit_code == 0
    assert "nothing was written" in result.stdout
    result = run.invoke(args=["catalogue", "import", str(file)])
    assert result.exit_code == 0
    assert "line 4: not JSON" in result.stderr
    assert "listing           1        0          0        0" in result.stdout
    result = run.invoke(args=["catalogue", "import", "--strict", str(file)])
    assert result.exit_code == 1
    assert "listing           0        0          1        0" in result.stdout


def test_export_writes_what_import_reads(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in GOOD))
    run = app.test_cli_runner()
    run.invoke(args=["catalogue", "import", str(file)])
    out = tmp_path / "export.jsonl"
    result = run.invoke(args=["catalogue", "export", str(out)])
    assert "1 categories, 1 publishers, 1 listings and 0 images" in result.stdout
    assert [json.loads(line)["slug"] for line in out.read_text().splitlines()] == [
        "weather",
        "harbour",
        "tides",
    ]
    result = run.invoke(args=["catalogue", "export", str(tmp_path / "no" / "folder.jsonl")])
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_a_file_of_nothing_but_rubbish_is_told_and_changes_nothing(
    app: Flask, tmp_path: Path
) -> None:
    file = tmp_path / "rubbish.jsonl"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 200)
    result = app.test_cli_runner().invoke(args=["catalogue", "import", str(file)])
    assert result.exit_code == 0
    assert "refused" in result.stdout
    assert "Traceback" not in result.output
