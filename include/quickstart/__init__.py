"""How a newcomer runs it: embedded PostgreSQL, the services and Airflow, under one supervisor.

``./run`` calls ``python -m quickstart VERB``. Nothing of the plugin imports this package.
"""
