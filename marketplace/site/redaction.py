"""Taking secrets and personal data out of an error's text before anybody sees it."""

import re

MAX_LENGTH = 500
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(authorization)\s*:\s*(?:(?:bearer|basic)\s+)?\S+"), r"\1: [hidden]"),
    (re.compile(r"(?i)\b((?:set-)?cookie)\s*:.*"), r"\1: [hidden]"),
    (
        re.compile(r"(?i)\b(https?|rediss?|postgres[\w+]*|smtps?)://[^\s/@]+@"),
        r"\1://[hidden]@",
    ),
    (re.compile(r"(https?://[^\s?#\"']+)[?#][^\s\"']+"), r"\1?[hidden]"),
    (re.compile(r"[^\s@<>\"'=:,;()]+@[^\s@<>\"',;()]+\.\w+"), "[address]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 [hidden]"),
    (
        re.compile(
            r"(?i)\b([\w-]*(?:password|passwd|secret|token|api[_-]?key))"
            r"([\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&)}]+)"
        ),
        r"\1\2[hidden]",
    ),
    (re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])[\w-]{24,}\b"), "[hidden]"),
    (re.compile(r"\b[0-9a-fA-F]{32,}\b"), "[hidden]"),
    (re.compile(r"(?<![\w.])\+?\d[\d \-]{8,}\d(?![\w.])"), "[number]"),
)


def redacted(text: str | None) -> str:
    """`text` in one line without addresses, secrets, long numbers and query strings; at most 500
    characters."""
    if not text:
        return ""
    line = " ".join(text.split())
    for pattern, replacement in _RULES:
        line = pattern.sub(replacement, line)
    return line if len(line) <= MAX_LENGTH else line[: MAX_LENGTH - 1] + "…"
