"""The rules of stages, pure: what has been scored, whether a stage is passed, what comes next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.program.policy.document import Stage

# The one criterion of a stage that names none.
OVERALL = "Overall"


@dataclass(frozen=True)
class Result:
    """How a stage stands. `mean` is in percent, None without a score."""

    needed: int
    count: int
    mean: int | None
    pass_score: int

    @property
    def is_scored(self) -> bool:
        """Whether enough reviewers scored."""
        return self.count >= self.needed

    @property
    def passes(self) -> bool:
        """Whether the stage can be passed."""
        return self.is_scored and (
            self.pass_score == 0 or (self.mean is not None and self.mean >= self.pass_score)
        )

    @property
    def hindrance(self) -> str:
        """Why it cannot be passed yet, in words; empty when it can."""
        if not self.is_scored:
            missing = self.needed - self.count
            return f"{missing} more reviewer{'' if missing == 1 else 's'} must score it first."
        if not self.passes:
            return f"The mean score is {self.mean or 0}; {self.pass_score} is needed to pass."
        return ""


def stages_of(data: Iterable[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """The stages that are frozen in a row."""
    return tuple(Stage.model_validate(each) for each in data)


def stage_of(stages: Sequence[Stage], key: str) -> Stage | None:
    """The stage of that key."""
    return next((each for each in stages if each.key == key), None)


def next_stage(stages: Sequence[Stage], key: str) -> Stage | None:
    """The stage after that one; None after the last."""
    keys = [each.key for each in stages]
    place = keys.index(key) if key in keys else len(keys)
    return stages[place + 1] if place + 1 < len(stages) else None


def criteria_of(stage: Stage) -> tuple[str, ...]:
    """What a reviewer scores."""
    return stage.criteria or (OVERALL,)


def mean_of(scores: Iterable[int]) -> int | None:
    """The mean, rounded half up; None of nothing."""
    values = list(scores)
    return (2 * sum(values) + len(values)) // (2 * len(values)) if values else None


def result_of(stage: Stage, scores: Iterable[int]) -> Result:
    """How a stage with these reviewers' scores stands."""
    values = list(scores)
    return Result(stage.reviewers, len(values), mean_of(values), stage.pass_score)
