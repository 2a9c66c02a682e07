"""Applications, rounds with their places, and business plans."""

from marketplace.program.applications.models.application import (
    FINAL,
    FOR_APPLICANTS,
    OPEN,
    Application,
    ApplicationEntry,
    ApplicationReview,
    ApplicationState,
    EntryKind,
    InterestConflict,
    ReviewerAssignment,
)
from marketplace.program.applications.models.plan import BusinessPlan, PlanActivity, PlanState
from marketplace.program.applications.models.round import (
    Milestone,
    MilestoneState,
    PlaceState,
    ProgramRound,
    RoundKind,
    RoundPlace,
    RoundState,
    RoundTerms,
    TermsAcceptance,
)

__all__ = [
    "FINAL",
    "FOR_APPLICANTS",
    "OPEN",
    "Application",
    "ApplicationEntry",
    "ApplicationReview",
    "ApplicationState",
    "BusinessPlan",
    "EntryKind",
    "InterestConflict",
    "Milestone",
    "MilestoneState",
    "PlaceState",
    "PlanActivity",
    "PlanState",
    "ProgramRound",
    "ReviewerAssignment",
    "RoundKind",
    "RoundPlace",
    "RoundState",
    "RoundTerms",
    "TermsAcceptance",
]
