"""The catalogue's tables, a file per aggregate."""

from marketplace.catalogue.models.abuse import AbuseCase, Appeal, AppealState, CaseState
from marketplace.catalogue.models.asset import Asset
from marketplace.catalogue.models.category import Category, CategoryRedirect
from marketplace.catalogue.models.collection import Collection, CollectionItem
from marketplace.catalogue.models.engagement import (
    Follow,
    IntegrationRequest,
    ListingUse,
    RequestState,
    RequestVote,
)
from marketplace.catalogue.models.listing import (
    Listing,
    ListingCategory,
    ListingStatus,
    ListingVersion,
    SlugRedirect,
)
from marketplace.catalogue.models.review import FlagState, ListingReview, ReviewFlag, ReviewState
from marketplace.catalogue.models.revision import Revision, RevisionEvent, RevisionState
from marketplace.catalogue.models.search_log import SearchQueryStat, SynonymGroup

__all__ = [
    "AbuseCase",
    "Appeal",
    "AppealState",
    "Asset",
    "CaseState",
    "Category",
    "CategoryRedirect",
    "Collection",
    "CollectionItem",
    "FlagState",
    "Follow",
    "IntegrationRequest",
    "Listing",
    "ListingCategory",
    "ListingReview",
    "ListingStatus",
    "ListingUse",
    "ListingVersion",
    "RequestState",
    "RequestVote",
    "ReviewFlag",
    "ReviewState",
    "Revision",
    "RevisionEvent",
    "RevisionState",
    "SearchQueryStat",
    "SlugRedirect",
    "SynonymGroup",
]
