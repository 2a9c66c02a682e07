from pathlib import Path

import pytest

from search.evaluation import Answer, Case, Judge, by_kind, figures, ndcg, read_cases, recall, table


def answer(ids: str, right: str, kind: str = "typo", ms: float = 1.0) -> Answer:
    return Answer(Case("q", kind, ("x",)), tuple(ids), frozenset(right), ms)


@pytest.mark.parametrize(
    ("ids", "right", "rank", "share", "gain"),
    [
        ("abc", "a", 1, 1.0, 1.0),
        ("abc", "c", 3, 1.0, 0.5),
        ("abc", "x", 0, 0.0, 0.0),
        ("", "x", 0, 0.0, 0.0),
        ("abc", "ab", 1, 1.0, 1.0),
        ("abc", "ax", 1, 0.5, 0.613),
    ],
)
def test_an_answer_is_judged(ids: str, right: str, rank: int, share: float, gain: float) -> None:
    found = answer(ids, right)
    assert found.rank == rank
    assert recall(found) == share
    assert ndcg(found) == pytest.approx(gain, abs=0.001)


def test_figures_are_means() -> None:
    found = figures([answer("ab", "a", ms=1), answer("ab", "b", ms=3), answer("ab", "x", ms=2)])
    assert (found.cases, found.mrr, found.first, found.p50_ms) == (3, 0.5, pytest.approx(1 / 3), 2)
    assert found.p95_ms == 3


def test_figures_are_by_kind_and_for_all() -> None:
    found = by_kind([answer("a", "a"), answer("a", "b", kind="prefix")])
    assert {kind: item.mrr for kind, item in found.items()} == {"prefix": 0, "typo": 1, "all": 0.5}
    assert len(table(found).splitlines()) == 4


def test_nothing_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="no answers"):
        figures([])


def test_names_are_the_same_whatever_their_spaces_and_case() -> None:
    judge = Judge({"1": "Node.js", "2": "NodeJS", "3": "Other"})
    assert judge.right(Case("q", "split", ("nodejs",))) == {"1", "2"}
    assert judge.right(Case("q", "split", ("3",))) == {"3"}
    with pytest.raises(ValueError, match="nothing in the index"):
        judge.right(Case("q", "split", ("gone",)))


@pytest.mark.parametrize(
    "line",
    ["{", '{"query": "a"}', '{"query": "a", "kind": "odd", "relevant": ["x"]}',
     '{"query": "a", "kind": "typo", "relevant": []}'],
)  # fmt: skip
def test_a_wrong_case_is_told_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(f'{{"query": "a", "kind": "typo", "relevant": ["x"]}}\n\n{line}\n')
    with pytest.raises(ValueError, match="line 3"):
        read_cases(path)
