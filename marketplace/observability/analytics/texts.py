"""The words for placements and stages."""

from marketplace.catalogue.exposure import Placement

PLACEMENTS = {
    Placement.SEARCH: "Search",
    Placement.CATEGORY: "Category pages",
    Placement.HOME: "Home page",
    Placement.COLLECTION: "Collections",
    Placement.PARTNER: "Partner page",
    Placement.SIMILAR: "Beside similar listings",
    Placement.DIRECT: "From elsewhere",
}
# Label, what it counts, and the icon.
STAGES = {
    "impressions": ("Impressions", "Visitors who were shown a listing in a list", "eye"),
    "views": ("Views", "Visitors who opened a listing’s page", "file-text"),
    "installs": ("Installs", "Installations by other organizations", "download"),
    "paid": ("Paid", "Customers who paid for the first time", "credit-card"),
    "churned": ("Churn", "Installations that were removed", "trending-up"),
}
