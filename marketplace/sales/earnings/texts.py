"""States and kinds in words, with the tone of their badge."""

from dataclasses import dataclass

from billing.models import (
    AccountState,
    Earning,
    EarningKind,
    EarningState,
    Payout,
    PayoutState,
)

KINDS = {
    EarningKind.PUBLISHER_SHARE: "Sale",
    EarningKind.RESELLER_MARGIN: "Resale margin",
    EarningKind.AFFILIATE_COMMISSION: "Commission",
    EarningKind.RETURNED_COMMISSION: "Commission that came back",
}
SECTIONS = {
    "earned": "Earned",
    "taken back": "Refunds and disputes",
    "corrected": "Corrections",
    "converted": "Converted to another currency",
    "paid out": "Paid out",
}
CAME_BY = {
    "click": "A click on your link",
    "code": "Your code",
    "server": "A lead that your own server registered",
    "handover": "A workspace that you set up and handed over",
}
TXN_KINDS = {
    "sale": "Sale",
    "grant": "Grant or reward",
    "release": "Released",
    "netting": "Netted against what you owed",
    "refund": "Refund",
    "dispute": "Dispute",
    "adjustment": "Correction",
    "carry": "Carried to the next payout",
    "payout_reserve": "Payout",
    "payout_release": "Payout canceled",
    "payout_lessened": "Payout lessened",
    "surplus_transfer": "Transferred once too often",
    "surplus_reversal": "Taken back from such a transfer",
    "payout_reversed": "Payout taken back",
    "payout_transfer": "Transferred",
    "reversal": "Taken back from a payout",
    "write_off": "Written off",
    "conversion": "Converted to another currency",
}


@dataclass(frozen=True)
class Label:
    """A word and the tone of its badge."""

    text: str
    tone: str


PAYOUT_STATES = {
    PayoutState.COMPUTED: Label("To be approved", "info"),
    PayoutState.HELD: Label("Held", "warning"),
    PayoutState.RESERVED: Label("Approved", "info"),
    PayoutState.SUBMITTING: Label("Being sent", "info"),
    PayoutState.UNKNOWN: Label("Being checked", "warning"),
    PayoutState.TRANSFERRED: Label("Transferred", "success"),
    PayoutState.PAID: Label("In the bank", "success"),
    PayoutState.REJECTED: Label("Refused by Stripe", "danger"),
    PayoutState.FAILED: Label("Bank refused", "danger"),
    PayoutState.RETURNED: Label("Returned by the bank", "danger"),
    PayoutState.REVERSING: Label("Being taken back", "warning"),
    PayoutState.REVERSED: Label("Taken back", "neutral"),
    PayoutState.CANCELED: Label("Canceled", "neutral"),
}
ACCOUNT_STATES = {
    AccountState.ONBOARDING: Label("Set-up not finished", "warning"),
    AccountState.READY: Label("Ready", "success"),
    AccountState.RESTRICTED: Label("Restricted by Stripe", "danger"),
    AccountState.DISCONNECTED: Label("Disconnected", "neutral"),
}
_PAID = frozenset(
    {PayoutState.TRANSFERRED, PayoutState.PAID, PayoutState.FAILED, PayoutState.RETURNED}
)


def txn_label(kind: str) -> str:
    """What a transaction of the ledger is called on a statement."""
    if kind in TXN_KINDS:
        return TXN_KINDS[kind]
    stem = kind.removesuffix("_reversal")
    if stem != kind and stem in TXN_KINDS:
        return f"{TXN_KINDS[stem]}, reversed"
    return TXN_KINDS.get(kind.split("_")[0], kind.replace("_", " ").capitalize())


def earning_label(earning: Earning, payout: Payout | None) -> Label:
    """Where an earning is now; `payout` is the live one that pays it."""
    if earning.state is EarningState.VOID or earning.net == 0:
        return Label("Taken back", "neutral")
    if earning.state is EarningState.HELD:
        return Label("Frozen", "danger") if earning.frozen_reason else Label("Held", "warning")
    if payout is None:
        return Label("Payable", "info")
    return Label("Paid", "success") if payout.state in _PAID else Label("In a payout", "info")


# What Stripe asks for, in words; the partner reads the exact wording on Stripe's own pages.
_REQUIREMENTS = {
    "external_account": "A bank account",
    "tos_acceptance": "Your agreement to Stripe's terms",
    "individual.verification.document": "A photo of your identity document",
    "individual.verification": "Proof of who you are",
    "individual": "Details about you",
    "company.verification": "A document of your company",
    "company": "Details about your company",
    "representative": "Details about who represents the company",
    "business_profile": "What your business does",
    "owners": "Who owns the company",
    "directors": "Who directs the company",
    "executives": "Who leads the company",
}


def requirements_in_words(requirements: list[str]) -> list[str]:
    """What is missing, each once, the most exact name that we know."""
    said = []
    for each in requirements:
        name = each
        while name and name not in _REQUIREMENTS:
            name = name.rpartition(".")[0]
        said.append(_REQUIREMENTS.get(name, each.replace("_", " ").replace(".", ", ")))
    return list(dict.fromkeys(said))
