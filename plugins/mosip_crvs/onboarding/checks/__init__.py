"""The checks of the preflight, in an order in which they can be mended (``mosip-onboarding.md`` §11, §12)."""

from __future__ import annotations

from mosip_crvs.onboarding.checks import authentication, masterdata, partners, results, schema
from mosip_crvs.onboarding.preflight import Check

CHECKS: tuple[Check, ...] = (
    *authentication.CHECKS,
    *masterdata.CHECKS,
    *schema.CHECKS,
    *partners.CHECKS,
    *results.CHECKS,
)
