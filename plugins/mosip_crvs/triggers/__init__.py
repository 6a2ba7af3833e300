"""Airflow triggers. They only look; nothing is ever sent from one."""
