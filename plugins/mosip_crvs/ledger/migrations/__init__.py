"""The ledger's migrations, applied by ``python -m mosip_crvs.ledger migrate``."""
