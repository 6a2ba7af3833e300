-- Puts one result where the registry's people see it. It is run once for each result, with named parameters:
--
--   kind, registration_id, act, act_number   the event: birth or death, your number, register, 1
--   outcome                                  sent, completed, issued, updates_required or information_required
--   result_version                           grows with every change of the event's result
--   application_id, code, sentence           MOSIP's number of the application; why, for a machine and for a registrar
--   identifier_kind, identifier              what MOSIP issued, if your policy lets it come to you; leave them out
--                                            here and no identifier leaves the ledger
--   changed_at                               when the result changed
--
-- A result may come twice, and an older one after a newer one. Write only where result_version grows.
INSERT INTO crvs.mosip_results (
    kind, registration_id, act, act_number, application_id, outcome, code, sentence, identifier_kind, identifier,
    result_version, changed_at
)
VALUES (
    :kind, :registration_id, :act, :act_number, :application_id, :outcome, :code, :sentence, :identifier_kind,
    :identifier, :result_version, :changed_at
)
ON CONFLICT (kind, registration_id, act, act_number) DO UPDATE
   SET application_id = EXCLUDED.application_id, outcome = EXCLUDED.outcome, code = EXCLUDED.code,
       sentence = EXCLUDED.sentence, identifier_kind = EXCLUDED.identifier_kind, identifier = EXCLUDED.identifier,
       result_version = EXCLUDED.result_version, changed_at = EXCLUDED.changed_at, written_at = now()
 WHERE mosip_results.result_version < EXCLUDED.result_version
