"""Airflow operators: each opens its hooks, calls one function of the floors below, and logs counts."""
