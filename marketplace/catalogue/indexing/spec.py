"""What the two indexes hold and how they may be asked. A change here means a rebuild."""

from search.engine import FilterField, IndexSpec, Kind, SortField

PUBLIC = "public"
"""The audience of everybody; documents of other audiences do not exist yet."""

AUDIENCES = (PUBLIC,)

LISTINGS = IndexSpec(
    name="listings",
    searchable=(
        "name",
        "aliases",
        "publisher",
        "summary",
        "categories",
        "tags",
        "works_with",
        "description",
    ),
    names=("name", "aliases"),
    facets=(
        FilterField("category"),
        FilterField("kind"),
        FilterField("auth"),
        FilterField("pricing"),
        FilterField("direction"),
        FilterField("rating_band"),
        FilterField("certified", Kind.BOOL),
        FilterField("authorization"),
        FilterField("works_with"),
        FilterField("language"),
        FilterField("publisher_slug"),
    ),
    filters=(FilterField("status"),),
    sorts=(
        SortField("popular", "popularity", Kind.INTEGER, descending=True),
        SortField("rating", "rating", Kind.INTEGER, descending=True),
        SortField("newest", "published_at", Kind.INTEGER, descending=True),
        SortField("name", "name_sort", Kind.KEYWORD, descending=False),
    ),
    version=2,
)

PUBLISHERS = IndexSpec(
    name="publishers",
    searchable=("name", "summary"),
    names=("name",),
    facets=(FilterField("partner_type"), FilterField("country")),
    sorts=(SortField("name", "name_sort", Kind.KEYWORD, descending=False),),
    version=1,
)

SPECS = (LISTINGS, PUBLISHERS)
