"""Pages for people, inside Airflow's own UI."""
