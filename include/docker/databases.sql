-- Run once by the postgres image, on an empty data folder.
CREATE DATABASE airflow;
CREATE DATABASE ledger;
CREATE DATABASE registry;
