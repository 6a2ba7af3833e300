-- A civil registry, small enough to read at one sitting: births, deaths, the people they concern, and what was amended.
-- Safe to run again. Dates of birth and death are text, because real registries hold dates that are none; place codes
-- carry no foreign key, because real registries hold codes that nobody knows any more.

CREATE SCHEMA IF NOT EXISTS crvs;

CREATE TABLE IF NOT EXISTS crvs.place (
    place_code text PRIMARY KEY,
    name       text NOT NULL,
    parent     text
);

CREATE TABLE IF NOT EXISTS crvs.registrar (
    registrar_id text PRIMARY KEY,
    name         text NOT NULL,
    office       text
);

CREATE TABLE IF NOT EXISTS crvs.person (
    person_id         text PRIMARY KEY,
    given_name        text,
    family_name       text,
    given_name_local  text,
    family_name_local text,
    local_language    text,   -- ISO 639-3 of the two *_local columns: ara, amh, hin; or null
    gender            text,   -- M, F, U; anything else is bad data, and may be here
    birth_date        text,   -- YYYY-MM-DD; anything else is bad data, and may be here
    uin               text,
    vid               text
);

CREATE SEQUENCE IF NOT EXISTS crvs.birth_number;
CREATE SEQUENCE IF NOT EXISTS crvs.death_number;

CREATE TABLE IF NOT EXISTS crvs.birth_registration (
    registration_id         text PRIMARY KEY
        DEFAULT 'B-' || to_char(now(), 'YYYY') || '-' || lpad(nextval('crvs.birth_number')::text, 6, '0'),
    child_id                text NOT NULL REFERENCES crvs.person,
    mother_id               text,   -- a person_id, if the registry has the parent as a person
    father_id               text,
    informant_relation      text,
    informant_name          text,
    informant_phone         text,
    informant_email         text,
    informant_info_token    text,   -- user-info JWT of an informant who logged in with eSignet
    birth_place_code        text,
    birth_facility          text,
    plurality               text NOT NULL DEFAULT 'SINGLE',   -- SINGLE, TWIN, TRIPLET, ...
    birth_order             smallint NOT NULL DEFAULT 1,
    residence_address_line1 text,
    residence_place_code    text,
    residence_postal_code   text,
    registrar_id            text,
    status                  text NOT NULL DEFAULT 'REGISTERED',   -- or e.g. PENDING, CANCELLED
    registered_at           timestamptz NOT NULL DEFAULT now(),
    modified_at             timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS crvs.death_registration (
    registration_id      text PRIMARY KEY
        DEFAULT 'D-' || to_char(now(), 'YYYY') || '-' || lpad(nextval('crvs.death_number')::text, 6, '0'),
    deceased_id          text NOT NULL REFERENCES crvs.person,
    informant_relation   text,
    informant_name       text,
    informant_phone      text,
    informant_email      text,
    informant_info_token text,
    death_date           text,   -- YYYY-MM-DD; anything else is bad data, and may be here
    death_place_code     text,
    death_facility       text,
    manner_of_death      text,   -- NATURAL, ACCIDENT, SUICIDE, HOMICIDE, UNDETERMINED
    registrar_id         text,
    status               text NOT NULL DEFAULT 'REGISTERED',
    registered_at        timestamptz NOT NULL DEFAULT now(),
    modified_at          timestamptz NOT NULL DEFAULT now()
);

-- What was amended, never what it said before or after. Rows stay when a registration is deleted.
CREATE TABLE IF NOT EXISTS crvs.amendment (
    amendment_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    registration_kind text NOT NULL CHECK (registration_kind IN ('BIRTH', 'DEATH')),
    registration_id   text NOT NULL,
    amended_at        timestamptz NOT NULL DEFAULT now(),
    amended_by        text NOT NULL DEFAULT session_user,
    field             text NOT NULL,   -- a column of the registration, or person.<column>
    reason            text             -- of the setting crvs.reason, if the session has one
);

-- What became of registrations at MOSIP, written by the sync and read by registrars. Nothing here amends a registration:
-- it would be read again.
CREATE TABLE IF NOT EXISTS crvs.mosip_results (
    kind            text NOT NULL,   -- birth, death
    registration_id text NOT NULL,
    act             text NOT NULL,   -- register
    act_number      integer NOT NULL,
    application_id  text,
    outcome         text NOT NULL,   -- sent, completed, issued, updates_required, information_required
    code            text,
    sentence        text NOT NULL,   -- for the registrar
    identifier_kind text,            -- PSUT, UIN, VID
    identifier      text,
    result_version  integer NOT NULL,
    changed_at      timestamptz NOT NULL,
    written_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, registration_id, act, act_number)
);

CREATE INDEX IF NOT EXISTS mosip_results_to_do ON crvs.mosip_results (changed_at)
    WHERE outcome IN ('updates_required', 'information_required');

-- The nightly window reads these; the other two serve the trigger on crvs.person.
CREATE INDEX IF NOT EXISTS birth_registration_modified ON crvs.birth_registration (modified_at, registration_id);
CREATE INDEX IF NOT EXISTS death_registration_modified ON crvs.death_registration (modified_at, registration_id);
CREATE INDEX IF NOT EXISTS birth_registration_child ON crvs.birth_registration (child_id);
CREATE INDEX IF NOT EXISTS death_registration_deceased ON crvs.death_registration (deceased_id);
CREATE INDEX IF NOT EXISTS amendment_registration ON crvs.amendment (registration_id);

CREATE OR REPLACE FUNCTION crvs.changed_columns(before jsonb, after jsonb) RETURNS SETOF text
LANGUAGE sql IMMUTABLE AS $$
    SELECT key FROM jsonb_each(after) WHERE value IS DISTINCT FROM before -> key AND key <> 'modified_at' ORDER BY key
$$;

-- An UPDATE of a registration that does not set modified_at itself.
CREATE OR REPLACE FUNCTION crvs.amend_registration() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.modified_at := now();
    INSERT INTO crvs.amendment (registration_kind, registration_id, field, reason)
    SELECT TG_ARGV[0], NEW.registration_id, field, nullif(current_setting('crvs.reason', true), '')
    FROM crvs.changed_columns(to_jsonb(OLD), to_jsonb(NEW)) AS field;
    RETURN NEW;
END
$$;

-- An UPDATE of a person amends every registration that concerns the person: as the child, or as the deceased.
CREATE OR REPLACE FUNCTION crvs.amend_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO crvs.amendment (registration_kind, registration_id, field, reason)
    SELECT kind, registration_id, 'person.' || field, nullif(current_setting('crvs.reason', true), '')
    FROM (SELECT 'BIRTH' AS kind, registration_id FROM crvs.birth_registration WHERE child_id = NEW.person_id
          UNION ALL
          SELECT 'DEATH', registration_id FROM crvs.death_registration WHERE deceased_id = NEW.person_id) AS concerned,
         crvs.changed_columns(to_jsonb(OLD), to_jsonb(NEW)) AS field;
    UPDATE crvs.birth_registration SET modified_at = now() WHERE child_id = NEW.person_id;
    UPDATE crvs.death_registration SET modified_at = now() WHERE deceased_id = NEW.person_id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER birth_registration_amended BEFORE UPDATE ON crvs.birth_registration
    FOR EACH ROW WHEN (NEW.modified_at IS NOT DISTINCT FROM OLD.modified_at)
    EXECUTE FUNCTION crvs.amend_registration('BIRTH');
CREATE OR REPLACE TRIGGER death_registration_amended BEFORE UPDATE ON crvs.death_registration
    FOR EACH ROW WHEN (NEW.modified_at IS NOT DISTINCT FROM OLD.modified_at)
    EXECUTE FUNCTION crvs.amend_registration('DEATH');
CREATE OR REPLACE TRIGGER person_amended AFTER UPDATE ON crvs.person
    FOR EACH ROW EXECUTE FUNCTION crvs.amend_person();
