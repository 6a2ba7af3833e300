-- One row a registered birth. The reader wraps this as a subquery and adds the window, the order and the limit over
-- (modified_at, registration_id). Columns are found by name, so their order is free; their names are not.
--
-- Plan on PostgreSQL 18.4 with default settings, 200,000 births over 30 days, pages of 500 to 2,000 rows. Both the
-- window and the order come from the index birth_registration_modified (an Index Cond with both bounds, no Sort);
-- the people follow by primary key. 500 rows of a day of 6,667 take 4 to 8 ms. When the limit comes near to what is
-- left of the window, only the window comes from the index (a bitmap scan) and that rest is sorted in memory, 5,000
-- rows in 40 ms. Without a limit the planner may read all of crvs.person for the joins (300 ms), so ask for pages.
SELECT
    b.registration_id,
    b.child_id AS person_id,
    b.registered_at,
    b.modified_at,
    child.given_name AS child_given_name,
    child.family_name AS child_family_name,
    child.given_name_local AS child_given_name_local,
    child.family_name_local AS child_family_name_local,
    child.local_language,
    child.gender AS child_gender,
    child.birth_date AS child_birth_date,
    child.uin AS child_uin,
    b.residence_address_line1,
    b.residence_place_code,
    b.residence_postal_code,
    b.birth_place_code,
    b.informant_phone,
    b.informant_email,
    b.informant_info_token,
    mother.given_name AS mother_given_name,
    mother.family_name AS mother_family_name,
    mother.uin AS mother_uin,
    father.uin AS father_uin,
    b.registrar_id
FROM crvs.birth_registration AS b
JOIN crvs.person AS child ON child.person_id = b.child_id
LEFT JOIN crvs.person AS mother ON mother.person_id = b.mother_id
LEFT JOIN crvs.person AS father ON father.person_id = b.father_id
WHERE b.status = 'REGISTERED'
