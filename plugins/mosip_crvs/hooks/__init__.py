"""Airflow hooks: connections become clients."""
