"""How good and how fast an engine answers: judged cases in, figures by kind out.

A case is a query and what ought to be found: ``{"query": "slak", "kind": "typo",
"relevant": ["Slack"]}``, names or ids. Documents that share a name are equally right.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from search.engine import SearchEngine, SearchQuery
from search.text import words

KINDS = ("exact name", "prefix", "typo", "split", "summary words", "category words")
DEPTH = 10
"""Hits that are looked at: the first page."""


@dataclass(frozen=True, slots=True)
class Case:
    """A judged query. ``relevant`` are names or ids, the order does not matter."""

    query: str
    kind: str
    relevant: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures over some cases: shares between 0 and 1, times in milliseconds.

    ``mrr`` is the mean of 1/rank of the first right hit; ``first`` and ``top3`` the share of
    cases with a right hit there; ``recall`` the share of the right documents among the first
    ten (of ten at most); ``ndcg`` counts them less the further down they stand.
    """

    cases: int
    mrr: float
    first: float
    top3: float
    recall: float
    ndcg: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a case got: the ids in order, the ids that would have been right, the time."""

    case: Case
    ids: tuple[str, ...]
    right: frozenset[str]
    ms: float

    @property
    def rank(self) -> int:
        """The place of the first right hit, from 1; 0 if there is none."""
        return next((at for at, found in enumerate(self.ids, 1) if found in self.right), 0)


def read_cases(path: Path) -> list[Case]:
    """The cases of a JSON Lines file. Raises ``ValueError`` with the line's number."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            raw = json.loads(line)
            case = Case(str(raw["query"]), str(raw["kind"]), tuple(map(str, raw["relevant"])))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name}, line {number}: {error!r}") from error
        if case.kind not in KINDS or not case.relevant:
            raise ValueError(f"{path.name}, line {number}: no kind, or nothing is relevant")
        found.append(case)
    return found


def same_name(name: str) -> str:
    """What makes two names one for a person: letters and digits alone."""
    return "".join(words(name))


class Judge:
    """Knows which documents are meant by a case's names and ids."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """``names`` maps the ids of all documents to their names."""
        self._ids = set(names)
        self._named: dict[str, set[str]] = {}
        for identity, name in names.items():
            self._named.setdefault(same_name(name), set()).add(identity)

    def right(self, case: Case) -> frozenset[str]:
        """The ids that a case means. Raises ``ValueError`` if there are none."""
        found: set[str] = set()
        for item in case.relevant:
            found |= {item} if item in self._ids else self._named.get(same_name(item), set())
        if not found:
            raise ValueError(f"nothing in the index is meant by {case.relevant!r}")
        return frozenset(found)


def run(
    engine: SearchEngine,
    index: str,
    scope: tuple[str, ...],
    cases: Iterable[Case],
    judge: Judge,
) -> Iterator[Answer]:
    """Ask each case. A first question warms the index up and is not counted."""
    engine.search(SearchQuery(index=index, scope=scope))
    for case in cases:
        query = SearchQuery(index=index, scope=scope, text=case.query, per_page=DEPTH)
        started = time.perf_counter()
        page = engine.search(query)
        spent = (time.perf_counter() - started) * 1000
        yield Answer(case, page.ids, judge.right(case), spent)


def figures(answers: Sequence[Answer]) -> Figures:
    """The figures over these answers. Raises ``ValueError`` without any."""
    if not answers:
        raise ValueError("there are no answers to judge")
    times = sorted(answer.ms for answer in answers)

    def mean(of: Callable[[Answer], float]) -> float:
        return sum(map(of, answers)) / len(answers)

    return Figures(
        cases=len(answers),
        mrr=mean(lambda answer: 1 / answer.rank if answer.rank else 0.0),
        first=mean(lambda answer: float(answer.rank == 1)),
        top3=mean(lambda answer: float(0 < answer.rank <= 3)),
        recall=mean(recall),
        ndcg=mean(ndcg),
        p50_ms=times[len(times) // 2],
        p95_ms=times[min(len(times) - 1, int(len(times) * 0.95))],
    )


def recall(answer: Answer) -> float:
    """The share of the right documents on the first page, of as many as it can hold."""
    found = sum(1 for identity in answer.ids[:DEPTH] if identity in answer.right)
    return found / min(DEPTH, len(answer.right))


def ndcg(answer: Answer) -> float:
    """Right documents, each worth less the further down it stands, against the best order."""
    gained = sum(
        1 / math.log2(at + 1)
        for at, identity in enumerate(answer.ids[:DEPTH], 1)
        if identity in answer.right
    )
    best = sum(1 / math.log2(at + 1) for at in range(1, min(DEPTH, len(answer.right)) + 1))
    return gained / best


def by_kind(answers: Sequence[Answer]) -> dict[str, Figures]:
    """Figures for each kind that has cases, and for ``all``."""
    found = {}
    for kind in KINDS:
        chosen = [answer for answer in answers if answer.case.kind == kind]
        if chosen:
            found[kind] = figures(chosen)
    return found | {"all": figures(answers)}


def table(found: Mapping[str, Figures]) -> str:
    """The figures as text, a line a kind."""
    lines = [
        f"{'kind':16}{'cases':>6}{'MRR':>8}{'first':>8}{'top 3':>8}"
        f"{'recall':>8}{'nDCG':>8}{'p50 ms':>8}{'p95 ms':>8}"
    ]
    lines += [
        f"{kind:16}{item.cases:6}{item.mrr:8.3f}{item.first:8.3f}{item.top3:8.3f}"
        f"{item.recall:8.3f}{item.ndcg:8.3f}{item.p50_ms:8.2f}{item.p95_ms:8.2f}"
        for kind, item in found.items()
    ]
    return "\n".join(lines)
