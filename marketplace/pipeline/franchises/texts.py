"""What territories and royalties are called."""

from marketplace.pipeline.franchises.models import RoyaltyBase, RoyaltyKind

BASES = {
    RoyaltyBase.MEASURED: "The net revenue that we measure in the month",
    RoyaltyBase.REPORTED: "What the partner reports for the month",
}
KINDS = {RoyaltyKind.INVOICE: "Invoice", RoyaltyKind.CREDIT_NOTE: "Credit note"}
