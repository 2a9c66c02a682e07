"""What ties two organizations by their people: shared members, and addresses of one domain."""

from billing.affiliate import Relation
from marketplace.sales.affiliates.queries.people import shared_members, verified_addresses_of

# Whose domains say nothing of who somebody works for.
_MAILERS = """
163.com aol.com bluewin.ch comcast.net fastmail.com free.fr gmail.com gmx.at gmx.ch gmx.com
gmx.de gmx.net googlemail.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr icloud.com
interia.pl laposte.net libero.it live.com mac.com mail.com mail.ru me.com msn.com naver.com
o2.pl onet.pl orange.fr outlook.com outlook.de pm.me posteo.de proton.me protonmail.com qq.com
rediffmail.com sapo.pt seznam.cz t-online.de telenet.be tuta.com tutanota.com uol.com.br
web.de wp.pl yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru zoho.com
users.noreply.github.com privaterelay.appleid.com
"""
PUBLIC_MAILERS = frozenset(_MAILERS.split())
# Names that belong to nobody (RFC 2606).
_RESERVED = ("example", "test", "invalid", "localhost")
_RESERVED_DOMAINS = frozenset({"example.com", "example.net", "example.org"})


def domains_of(addresses: set[str]) -> set[str]:
    """The domains of e-mail addresses that tell where somebody works."""
    found = {address.rpartition("@")[2].lower().rstrip(".") for address in addresses}
    return {
        domain
        for domain in found
        if domain
        and domain not in PUBLIC_MAILERS
        and domain not in _RESERVED_DOMAINS
        and domain.rpartition(".")[2] not in _RESERVED
    }


def relation_of_people(affiliate_organization_id: int, customer_id: int) -> Relation:
    """What the members of both say. Three queries."""
    common = domains_of(verified_addresses_of(affiliate_organization_id)) & domains_of(
        verified_addresses_of(customer_id)
    )
    return Relation(
        shared_members=shared_members(affiliate_organization_id, customer_id),
        shared_domain=min(common, default=""),
    )
