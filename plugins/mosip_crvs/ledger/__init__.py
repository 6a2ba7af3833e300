"""The ledger: what was read, claimed, sent and answered, in PostgreSQL and nowhere else."""
