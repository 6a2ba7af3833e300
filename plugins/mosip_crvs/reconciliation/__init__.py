"""Reconciliation: what MOSIP said becomes states, and the states become a balance."""
