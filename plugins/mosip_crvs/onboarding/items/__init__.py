"""What is provisioned, in the order of what depends on what (``mosip-onboarding.md`` §12)."""

from __future__ import annotations

from mosip_crvs.onboarding.country import Country
from mosip_crvs.onboarding.items import (
    centers,
    gates,
    informants,
    keycloak,
    machines,
    officers,
    partners,
    results,
    zones,
)
from mosip_crvs.onboarding.provision import Item


def items_for(country: Country) -> tuple[Item, ...]:
    """Give everything that a country wants."""
    authentication = country.authentication_partner
    return (
        *keycloak.ITEMS,
        *officers.USER,
        *zones.ITEMS,
        *centers.ITEMS,
        *machines.ITEMS,
        *officers.MAPPINGS,
        *gates.ITEMS,
        *(item for partner in country.partners for item in partners.items_of(partner)),
        *(informants.oidc_items(authentication) if country.relying_party and authentication else ()),
        *(results.SUBSCRIBER if country.credential_partner else ()),
        *results.SUBSCRIPTION,
    )
