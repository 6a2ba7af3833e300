-- One row a registered death. The reader wraps this as a subquery and adds the window, the order and the limit over
-- (modified_at, registration_id). Columns are found by name, so their order is free; their names are not.
--
-- Plan on PostgreSQL 18.4 with default settings, 200,000 deaths over 30 days, pages of 500 to 2,000 rows. Both the
-- window and the order come from the index death_registration_modified (an Index Cond with both bounds, no Sort);
-- the deceased follows by primary key. 500 rows of a day of 6,667 take 2 ms. When the limit comes near to what is
-- left of the window, only the window comes from the index (a bitmap scan) and that rest is sorted in memory, 5,000
-- rows in 15 ms.
SELECT
    d.registration_id,
    d.deceased_id AS person_id,
    d.registered_at,
    d.modified_at,
    deceased.uin AS deceased_uin,
    deceased.vid AS deceased_vid,
    deceased.birth_date AS deceased_birth_date,
    d.death_date,
    d.manner_of_death,
    d.informant_info_token,
    d.registrar_id
FROM crvs.death_registration AS d
JOIN crvs.person AS deceased ON deceased.person_id = d.deceased_id
WHERE d.status = 'REGISTERED'
