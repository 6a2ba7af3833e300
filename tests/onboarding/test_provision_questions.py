"""What only a person can decide is asked, what only a person can do is waited for; nothing is changed by the way."""

from __future__ import annotations

import json
import os
import pty
import select
import time
from dataclasses import replace
from typing import Any

import pytest
from tests.onboarding.provisioning_rig import (
    DEMO,
    DONE,
    EVERYTHING,
    FAILED,
    PARTNERS,
    QUESTION,
    WAITING,
    Operator,
    new_operator,
    operator,
    some_keys,
)

from mosip_crvs.errors import MosipRefused
from mosip_crvs.mosip.doors import Door
from mosip_crvs.mosip.endpoints import Write
from mosip_crvs.mosip.masterdata import CREATE_MACHINE, MasterdataLook
from mosip_crvs.onboarding.items import items_for
from mosip_crvs.onboarding.provision import Bench, Outcome, Wishes, provision

__all__ = ["new_operator", "operator", "some_keys"]
ONCE = ("provision", "--yes", "--publish-id-schema")
AUDIENCES = {"packetmanager": ["mosip-regproc-client"], "regproc": ["mosip-regproc-client"]}


@pytest.fixture
def made(operator: Operator) -> Operator:
    """Somebody who has provisioned a country without partners."""
    operator.wants(*PARTNERS)
    assert operator.run(*ONCE).code == DONE
    return operator


def assert_asked(operator: Operator, *said: str, run: tuple[str, ...] = ONCE) -> None:
    """The run and its plan end with a question, and nothing at all was changed at MOSIP."""
    for arguments in (run, (run[0], "--plan", *run[2:])):
        state = operator.state()
        asked = operator.run(*arguments)
        assert asked.code == QUESTION, asked
        assert asked.err.startswith("A question for you: ")
        for text in said:
            assert text in asked.err
        assert operator.state() == state


def test_two_centres_of_the_name_are_a_question(made: Operator) -> None:
    center_id = made.kept["center_id"]
    made.edit("centers", "10000", name="Civil Registration", zoneCode="RSK")
    assert made.run(*ONCE).lines == []  # the pinned one is ours
    made.file("state.json").unlink()
    assert_asked(made, "there are 2 centres named 'Civil Registration': 10000, 10001", "MOSIP_CENTER_ID")
    made.variables["MOSIP_CENTER_ID"] = center_id
    assert made.run(*ONCE).code == DONE
    assert made.kept["center_id"] == center_id


def test_a_client_with_a_secret_that_nobody_knows_is_a_question(made: Operator) -> None:
    made.file("secrets.json").unlink()
    assert_asked(
        made, "the client mosip-crvs1-client exists, and its secret is not known here", "rotate-secret --force"
    )


def test_a_client_whose_secret_was_changed_elsewhere_is_a_question(made: Operator) -> None:
    made.edit("clients", "mosip-crvs1-client", secret="somebody-elses")
    assert_asked(made, "the client mosip-crvs1-client exists", "its secret is not known here")
    made.variables["MOSIP_CLIENT_SECRET"] = "somebody-elses"
    assert made.run(*ONCE).code == DONE


def test_a_key_of_another_centres_machine_is_a_question(made: Operator) -> None:
    ids = made.kept
    made.edit("machines", ids["machine_id"], regCenterId="10000", name="resident_machine")
    made.file("state.json").unlink()
    assert_asked(
        made,
        f"the key manager's signing key belongs to machine {ids['machine_id']} (resident_machine) of centre 10000",
        "one key can belong to one machine only",
    )


def test_a_machine_of_our_centre_with_the_key_is_adopted_whatever_its_name(made: Operator) -> None:
    ids = made.kept
    made.edit("machines", ids["machine_id"], name="resident_machine")
    made.file("state.json").unlink()
    assert made.run(*ONCE).lines == []
    assert made.kept["machine_id"] == ids["machine_id"]


def test_a_machine_of_our_name_in_another_centre_is_a_question_unless_it_was_made_here(made: Operator) -> None:
    machine_id, center_id = made.kept["machine_id"], made.kept["center_id"]
    made.edit("machines", machine_id, regCenterId="10000")
    forget_what_was_made(made)
    asked = (f"machine {machine_id} (crvs-machine) belongs to centre 10000, not {center_id}", "was not made here")
    assert_asked(made, *asked)
    made.variables["MOSIP_MACHINE_ID"] = machine_id
    assert_asked(made, *asked)
    made.edit("machines", machine_id, regCenterId=center_id)
    assert made.run(*ONCE).code == DONE
    made.edit("machines", machine_id, regCenterId="10000")
    assert_asked(made, *asked)  # adopted is not made


def test_an_officer_of_another_centre_is_a_question_unless_he_was_made_here(made: Operator) -> None:
    made.edit("userCenters", "crvs", regCenterId="10000")
    forget_what_was_made(made)
    assert_asked(made, f"crvs works in centre 10000, not {made.kept['center_id']}", "may be a living officer")


def test_a_disabled_user_of_the_officers_name_is_a_question_unless_he_was_made_here(made: Operator) -> None:
    made.edit("users", "crvs", enabled=False)
    forget_what_was_made(made)
    assert_asked(made, "the user crvs is disabled in Keycloak and was not made here")
    made.edit("users", "crvs", enabled=True)
    assert made.run(*ONCE).code == DONE


def test_what_mosip_refused_to_make_was_not_made_here(operator: Operator) -> None:
    operator.wants(*PARTNERS)
    tell = Door.tell

    def refuse(self: Door, write: Write, request: Any = None, **parts: str) -> Any:
        if write == CREATE_MACHINE:
            raise MosipRefused("somebody was faster")
        return tell(self, write, request, **parts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Door, "tell", refuse)
        assert "somebody was faster" in operator.run(*ONCE).err
    assert operator.kept["making/officer"] == "crvs"
    assert "making/machine" not in operator.kept


def test_another_user_of_the_officers_name_is_not_the_one_that_was_made_here(made: Operator) -> None:
    state = json.loads(made.file("state.json").read_text())
    state["ids"]["made/officer"] = "the id of a user who was deleted since"
    made.file("state.json").write_text(json.dumps(state))
    made.edit("users", "crvs", enabled=False)
    assert_asked(made, "the user crvs is disabled in Keycloak and was not made here")


def test_other_holidays_of_a_centre_that_was_not_made_here_are_a_question(made: Operator) -> None:
    center_id = made.kept["center_id"]
    forget_what_was_made(made)
    fields = {**DEMO["center"]["fields"], "holidayLocationCode": "NOHOL"}
    made.wants(*PARTNERS, center={**DEMO["center"], "fields": fields})
    assert_asked(
        made,
        f"centre {center_id} has the holidays of KTA, and the country file says holidayLocationCode NOHOL",
        "The centre was not made here",
    )


def test_other_holidays_of_a_centre_that_no_search_shows_are_a_question(
    made: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MasterdataLook, "exceptional_holidays", lambda *_: None)
    fields = {**DEMO["center"]["fields"], "holidayLocationCode": "NOHOL"}
    made.wants(*PARTNERS, center={**DEMO["center"], "fields": fields})
    assert_asked(made, "would delete its exceptional holidays unseen")


def forget_what_was_made(operator: Operator) -> None:
    """Let the state file say what was found and not who made it, as after an adoption."""
    state = json.loads(operator.file("state.json").read_text())
    state["ids"] = {name: value for name, value in state["ids"].items() if not name.startswith(("made/", "making/"))}
    operator.file("state.json").write_text(json.dumps(state))


def test_an_officer_of_another_zone_is_a_question(made: Operator) -> None:
    made.edit("zoneUsers", "crvs", zoneCode="ORL")
    assert_asked(made, "crvs belongs to the zone ORL, not MOR")


def test_a_provisioner_of_another_zone_is_a_question(made: Operator) -> None:
    made.edit("zoneUsers", "service-account-mosip-deployment-client", zoneCode="RSK")
    assert_asked(made, "service-account-mosip-deployment-client has a zone that the zone MOR is not in", "sees RSK")


def test_a_provisioner_of_another_zone_that_is_switched_off_is_a_question(made: Operator) -> None:
    made.edit("zoneUsers", "service-account-mosip-deployment-client", zoneCode="RSK", isActive=False)
    assert_asked(made, "service-account-mosip-deployment-client belongs to the zone RSK, not MOR")


def test_a_centre_that_lies_elsewhere_is_a_question(made: Operator) -> None:
    made.edit("centers", made.kept["center_id"], zoneCode="ORL")
    assert_asked(made, f"centre {made.kept['center_id']} has zoneCode ORL, and the country file RSK")


def test_without_the_global_admin_the_provisioners_zone_is_a_question(operator: Operator) -> None:
    operator.wants(*PARTNERS)
    del operator.variables["MOSIP_GLOBAL_ADMIN_PASSWORD"]
    operator.run("provision", "--yes")  # what comes before it is made
    assert_asked(
        operator,
        "service-account-mosip-deployment-client has no zone, and only a user with the root zone can give it one",
        "set MOSIP_GLOBAL_ADMIN_PASSWORD",
    )
    assert "mosip-crvs1-client" in operator.state()["keycloak"]["clients"]


def test_the_global_admin_is_not_needed_again(made: Operator) -> None:
    del made.variables["MOSIP_GLOBAL_ADMIN_PASSWORD"]
    assert made.run(*ONCE).code == DONE


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("MOSIP_PROVISIONER_SECRET", "no login for the provisioner: set MOSIP_PROVISIONER_SECRET"),
        ("KEYCLOAK_ADMIN_PASSWORD", "no login for the keycloak admin: set KEYCLOAK_ADMIN_USER"),
        ("MOSIP_URL", "MOSIP_URL must be the http:// or https:// address"),
    ],
)
def test_a_login_that_is_missing_stops_the_run(operator: Operator, missing: str, said: str) -> None:
    del operator.variables[missing]
    stopped = operator.run(*ONCE)
    assert stopped.code == FAILED
    assert stopped.err.startswith("Stopped: ")
    assert said in stopped.err


def test_a_login_that_is_refused_stops_the_run(operator: Operator) -> None:
    operator.variables["KEYCLOAK_ADMIN_PASSWORD"] = "not-the-password"
    stopped = operator.run(*ONCE)
    assert stopped.code == FAILED
    assert "Keycloak refused the client 'admin-cli' and the user 'admin'" in stopped.err
    assert "not-the-password" not in stopped.err


def test_a_pinned_centre_that_is_gone_is_a_question(made: Operator) -> None:
    made.edit("centers", made.kept["center_id"], delete=True)
    assert_asked(made, f"the centre {made.kept['center_id']} is kept here", "Remove center_id from demo.state.json")


def test_a_pinned_machine_that_is_gone_is_a_question(made: Operator) -> None:
    made.edit("machines", made.kept["machine_id"], delete=True)
    assert_asked(made, f"the machine {made.kept['machine_id']} is kept here or was given, and MOSIP does not show it")


def test_a_machine_specification_that_is_not_there_is_a_question(operator: Operator) -> None:
    operator.wants(*PARTNERS, machine={"name": "crvs-machine", "specification": "SERVER-9"})
    operator.run(*ONCE)
    assert_asked(operator, "there is no machine specification 'SERVER-9'")


def test_a_new_key_of_the_key_manager_is_taken_only_when_it_was_meant(made: Operator) -> None:
    made.edit("signingKey", "current", number=1)
    machine_id = made.kept["machine_id"]
    before = made.state()["masterdata"]["machines"][machine_id]
    assert_asked(made, f"the key manager signs with another key than machine {machine_id} has", "--accept-new-key")
    run = made.run("provision", "--yes", "--accept-new-key")
    assert (run.code, run.calls) == (DONE, [("PUT", "/v1/masterdata/machines")])
    after = made.state()["masterdata"]["machines"][machine_id]
    assert after["signPublicKey"] != before["signPublicKey"]
    assert after["publicKey"] == after["signPublicKey"]
    assert made.run("provision", "--yes").lines == []


# --- partners


def test_a_partner_of_another_type_is_a_question(operator: Operator) -> None:
    operator.run(*EVERYTHING)
    operator.edit("partners", "crvs-partner", partnerType="Print_Partner")
    assert_asked(operator, "the partner crvs-partner is a Print_Partner, and one id has one type", run=EVERYTHING)


def test_a_partner_of_another_organisation_is_a_question(operator: Operator) -> None:
    operator.run(*EVERYTHING)
    operator.edit("partners", "crvs-auth", organizationName="Registrar general")
    assert_asked(operator, "registered for 'Registrar general', and the country file says 'Registrar General'",
                 run=EVERYTHING)  # fmt: skip


def test_a_credential_type_of_another_policy_is_a_question(operator: Operator) -> None:
    operator.make_everything()
    partner = DEMO["credential_partner"]
    operator.wants(credential_partner={**partner, "policy": {**partner["policy"], "name": "another-policy"}})
    operator.run(*EVERYTHING)
    assert_asked(
        operator, "opencrvs is issued to crvs-partner by the policy 'crvs-credentials' already", run=EVERYTHING
    )


def test_a_certificate_of_another_key_is_a_question(operator: Operator) -> None:
    operator.run(*EVERYTHING)
    operator.sign()
    operator.file("crvs-auth.pem").replace(operator.file("crvs-partner.pem"))
    # It is trusted, and not for our key.
    assert operator.run(*EVERYTHING).code == QUESTION
    assert_asked(operator, "demo.crvs-partner.pem is not for the key beside it", run=EVERYTHING)


def test_a_certificate_that_no_given_authority_signed_is_a_question(operator: Operator) -> None:
    operator.run(*EVERYTHING)
    operator.sign()
    kept = operator.file("crvs-partner.pem").read_text()
    for name in ("crvs-partner.pem", "crvs-auth.pem"):
        operator.file(name).unlink()
    operator.sign()  # by a new root
    operator.file("crvs-partner.pem").write_text(kept)
    asked = operator.run(*EVERYTHING)
    assert asked.code == QUESTION
    assert "MOSIP was given root.pem, intermediate.pem and does not trust" in asked.err


@pytest.mark.parametrize("name", ["root.pem", "crvs-partner.pem"])
def test_a_file_that_is_no_certificate_is_named(operator: Operator, name: str) -> None:
    operator.run(*EVERYTHING)
    operator.sign()
    operator.file(name).write_text("no certificate")
    stopped = operator.run(*EVERYTHING)
    assert stopped.code == FAILED
    assert f"demo.{name}: a certificate cannot be read: it must be X.509 in PEM" in stopped.err


# --- gates


def test_the_published_id_schema_is_gate_g2(operator: Operator) -> None:
    operator.wants(*PARTNERS)
    waiting = operator.run("provision", "--yes")
    assert waiting.code == WAITING
    assert "Waiting at G2: the published ID schema lacks deceasedDeclarationDate" in waiting.out
    assert "provision --publish-id-schema. It cannot be taken back." in waiting.out
    assert len(operator.state()["masterdata"]["schemas"]) == 1
    assert "schema_version" not in operator.kept


def test_an_id_schema_is_published_once(made: Operator) -> None:
    schemas = made.state()["masterdata"]["schemas"]
    assert sorted(row["status"] for row in schemas.values()) == ["PUBLISHED", "PUBLISHED"]
    assert made.kept["schema_version"] == "0.2"
    assert made.run(*ONCE).lines == []
    assert made.state()["masterdata"]["schemas"] == schemas


def test_a_schema_that_mosip_hands_out_rewritten_is_published_once(made: Operator) -> None:
    """MOSIP may write a schema in its own way; to publish it again and again would be for the whole platform."""
    schema = json.loads(made.state()["masterdata"]["schemas"][_latest(made)]["schemaJson"])
    made.edit("schemas", "latest", schemaJson=json.dumps({**schema, "$comment": "kept by MOSIP"}))
    count = len(made.state()["masterdata"]["schemas"])
    assert made.run("provision", "--yes").lines == []
    made.run(*ONCE)
    assert len(made.state()["masterdata"]["schemas"]) == count + 1


def test_a_schema_that_is_not_in_force_yet_is_waited_for(made: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    schemas = made.state()["masterdata"]["schemas"]
    old = next(row for name, row in schemas.items() if name != _latest(made))
    monkeypatch.setattr(MasterdataLook, "latest_schema", lambda _: old)
    waiting = made.run(*ONCE)
    assert waiting.code == WAITING
    assert "Waiting at G2: ID schema 0.2 is published, and not in force before " in waiting.out
    assert made.state()["masterdata"]["schemas"] == schemas


def _latest(operator: Operator) -> str:
    schemas = operator.state()["masterdata"]["schemas"]
    return str(max(schemas, key=lambda name: float(schemas[name]["idVersion"])))


def test_the_runtime_client_that_is_turned_away_is_gate_g1(made: Operator) -> None:
    audiences = made.state()["configuration"]["audiences"]
    made.configure(audiences=AUDIENCES)
    waiting = made.run(*ONCE)
    assert waiting.code == WAITING
    assert (
        "Waiting at G1: MOSIP turns mosip-crvs1-client away. In packet-manager-default.properties and "
        "registration-processor-default.properties of mosip-config append ,mosip-crvs1-client to "
        "auth.server.admin.allowed.audience; in packet-manager-default.properties see that ONLINE_REGISTRATION_CLIENT "
        "is in mosip.role.commons-packet.putcreatepacket; then restart these services, which read the lists at their "
        "start. preflight --config-dir prints the whole lines.\n"
    ) in waiting.out
    made.configure(audiences={"regproc": audiences["regproc"]})
    assert "In packet-manager-default.properties of mosip-config" in made.run(*ONCE).out
    made.configure(audiences=audiences)
    assert made.run(*ONCE).code == DONE


def test_what_does_not_depend_on_a_closed_gate_is_made(operator: Operator) -> None:
    operator.configure(audiences=AUDIENCES)
    waiting = operator.run("provision", "--yes")
    assert waiting.code == WAITING
    gates = [line.partition(":")[0] for line in waiting.out.splitlines() if line.startswith("Waiting at ")]
    assert gates == [
        "Waiting at G1",
        "Waiting at G2",
        "Waiting at crvs-partner/authorities",
        "Waiting at crvs-auth/authorities",
        "Waiting at G3",
    ]
    assert {"center", "machine", "officer-center", "crvs-partner/partner", "oidc-key", "subscriber"} <= set(
        waiting.in_order
    )
    left = next(line for line in waiting.out.splitlines() if line.startswith("Left until then: "))
    assert left == (
        "Left until then: crvs-partner/certificate, crvs-partner/mapping, crvs-partner/credential-type, "
        "crvs-auth/certificate, crvs-auth/mapping, oidc-client"
    )


def test_certificates_are_waited_for_by_the_names_of_their_files(operator: Operator) -> None:
    waiting = operator.run(*EVERYTHING)
    assert waiting.code == WAITING
    folder = operator.folder
    assert (
        f"let your certification authority sign {folder}/demo.crvs-partner.csr.pem (O=Registrar General" in waiting.out
    )
    files = [str(operator.file(name)) for name in ("root.pem", "intermediate.pem", "crvs-partner.pem")]
    assert ", ".join(files) in waiting.out
    operator.sign()
    operator.file("crvs-auth.pem").unlink()
    later = operator.run(*EVERYTHING)
    assert later.code == WAITING
    assert "crvs-partner/credential-type" in later.in_order
    assert "Left until then: crvs-auth/certificate, crvs-auth/mapping, oidc-client" in later.out


def test_g3_is_attested_and_remembered(operator: Operator) -> None:
    waiting = operator.run("provision", "--yes")
    assert (
        "Waiting at G3: credentials go only to partners that registration-processor-credential-partners" in waiting.out
    )
    assert "Waiting at G3" in operator.run("provision", "--plan").out
    assert "Waiting at G3" not in operator.run("provision", "--plan", "--attest", "G3").out
    assert "Waiting at G3" in operator.run("provision", "--yes").out  # a plan remembers nothing
    assert "Waiting at G3" not in operator.run("provision", "--yes", "--attest", "G3").out
    assert "Waiting at G3" not in operator.run("provision", "--yes").out
    assert set(json.loads(operator.file("state.json").read_text())["attested"]) == {"G3"}


def test_a_refusal_of_mosip_is_exit_code_1(operator: Operator) -> None:
    center = {**DEMO["center"], "fields": {**DEMO["center"]["fields"], "centerTypeCode": "NONE"}}
    operator.wants(*PARTNERS, center=center)
    stopped = operator.run(*ONCE)
    assert stopped.code == FAILED
    assert "POST /v1/masterdata/registrationcenters: HTTP 200 KER-MSD-060" in stopped.err


# --- at a terminal


class Terminal:
    """The command line at a terminal, and somebody who reads and types."""

    def __init__(self, operator: Operator, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self._process = operator.start(*arguments, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.shown = ""
        self._read = 0

    def see(self, text: str) -> None:
        """Read on until a text."""
        deadline = time.monotonic() + 30
        while text not in self.shown[self._read :]:
            assert self._more(deadline), self.shown
        self._read = self.shown.index(text, self._read) + len(text)

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and type an answer."""
        self.see(question)
        self.say(text)

    def say(self, text: str) -> None:
        """Type."""
        os.write(self._ours, text.encode() + b"\n")

    def end(self, text: str = "") -> int:
        """Wait for the end; give the exit code."""
        deadline = time.monotonic() + 30
        while self._more(deadline):
            pass
        os.close(self._ours)
        assert text in self.shown
        return self._process.wait(10)

    def hang_up(self, question: str) -> None:
        """Wait for a question and end the input."""
        self.see(question)
        os.write(self._ours, b"\x04")

    def _more(self, deadline: float) -> bool:
        """Read what comes next; False at the end."""
        assert select.select([self._ours], [], [], max(0, deadline - time.monotonic()))[0], self.shown
        try:
            read = os.read(self._ours, 65536)
        except OSError:  # the other side is closed
            return False
        self.shown += read.decode(errors="replace").replace("\r\n", "\n")
        return bool(read)


def test_at_a_terminal_nothing_is_changed_without_a_yes(operator: Operator) -> None:
    operator.wants(*PARTNERS)
    for refuse in ("answer", "hang_up"):
        terminal = Terminal(operator, "provision", "--publish-id-schema")
        question = "Make these 17 changes in demo? [yes/no]"
        terminal.answer(question, "no") if refuse == "answer" else terminal.hang_up(question)
        assert terminal.end("Nothing was changed.") == DONE
        assert operator.writes() == []


def test_at_a_terminal_gates_are_asked_for_until_they_are_open(operator: Operator) -> None:
    audiences = operator.state()["configuration"]["audiences"]
    operator.configure(audiences=AUDIENCES)
    operator.wants(*PARTNERS)
    terminal = Terminal(operator, "provision", "--publish-id-schema")
    terminal.answer("Make these 17 changes in demo? [yes/no]", "yes")
    assert "let in (G1)" not in terminal.shown  # a plan does not say what it cannot see
    terminal.see("Gate G1: MOSIP turns mosip-crvs1-client away.")
    terminal.answer("Done? [yes/no]", "yes")  # not true: it is asked again
    terminal.see("Gate G1: MOSIP turns mosip-crvs1-client away.")
    operator.configure(audiences=audiences)
    terminal.answer("Done? [yes/no]", "yes")
    assert terminal.end("ok      the runtime client is let in (G1)") == DONE
    assert operator.kept["schema_version"] == "0.2"


def test_at_a_terminal_a_gate_that_stays_closed_is_waited_for(made: Operator) -> None:
    made.configure(audiences=AUDIENCES)
    terminal = Terminal(made, "provision")
    terminal.answer("Done? [yes/no]", "no")
    assert terminal.end("Waiting at G1: ") == WAITING


# --- questions beside what they do not concern


def test_a_question_leaves_out_only_what_needs_the_answer_and_goes_before_gates(operator: Operator) -> None:
    del operator.variables["MOSIP_GLOBAL_ADMIN_PASSWORD"]
    asked = operator.run("provision", "--yes")
    assert asked.code == QUESTION, "although gates wait, too"
    assert "Waiting at crvs-partner/authorities" in asked.out
    assert "only a user with the root zone can give it one" in asked.err
    left = next(line for line in asked.out.splitlines() if line.startswith("Left until then: "))
    assert left.startswith("Left until then: center, machine, officer-zone, officer-center, G2, ")
    assert {"runtime", "officer", "G1", "crvs-partner/policy", "crvs-auth/partner", "subscriber"} <= set(asked.in_order)
    assert "crvs" not in operator.state()["masterdata"]["zoneUsers"]


def test_every_question_is_asked(made: Operator) -> None:
    made.edit("clients", "mosip-crvs1-client", secret="somebody-elses")
    made.edit("zoneUsers", "crvs", zoneCode="ORL")
    asked = made.run(*ONCE)
    assert asked.code == QUESTION
    questions = [line for line in asked.err.splitlines() if line.startswith("A question for you: ")]
    assert len(questions) == 2
    assert "its secret is not known here" in questions[0]
    assert "crvs belongs to the zone ORL, not MOR" in questions[1]


# --- what was approved


def test_at_a_terminal_only_what_was_shown_is_made(made: Operator) -> None:
    ids = made.kept
    made.edit("centers", ids["center_id"], isActive=False)
    terminal = Terminal(made, "provision")
    terminal.see("Make these 1 changes in demo? [yes/no]")
    made.edit("machines", ids["machine_id"], isActive=False)
    terminal.say("yes")
    code = terminal.end(f"this is not in the plan that was approved: patch   machine {ids['machine_id']}: active")
    data = made.state()["masterdata"]
    centre, machine = data["centers"][ids["center_id"]]["eng"], data["machines"][ids["machine_id"]]
    assert (code, centre["isActive"], machine["isActive"]) == (QUESTION, True, False)


def test_a_plan_approves_every_step_of_the_run_after_it(operator: Operator) -> None:
    wishes = Wishes(publish_id_schema=True, attested=frozenset({"G3"}))
    for _ in range(2):  # before and after the certification authority's work
        plan = planned(operator, wishes)
        access = operator.access()
        approved = replace(wishes, approved=plan.signatures)
        made = provision(items_for(access.country), Bench(access, approved), tell=lambda *_: None)
        assert made.questions == {}
        assert made.signatures == plan.signatures
        operator.sign()
    assert made.waiting == {}


def test_what_was_not_approved_is_a_question_and_not_made(operator: Operator) -> None:
    operator.wants(*PARTNERS)
    wishes = Wishes(publish_id_schema=True)
    approved = {each for each in planned(operator, wishes).signatures if not each.startswith("center POST ")}
    access = operator.access()
    bench = Bench(access, replace(wishes, approved=frozenset(approved)))
    made = provision(items_for(access.country), bench, tell=lambda *_: None)
    assert set(made.questions) == {"center"}
    assert "not in the plan that was approved: create  centre 'Civil Registration'" in made.questions["center"]
    assert [item.id for item in made.left] == ["machine", "officer-center", "subscription"]
    assert made.signatures < approved
    assert set(operator.state()["masterdata"]["centers"]) == {"10000"}


def planned(operator: Operator, wishes: Wishes) -> Outcome:
    """Plan."""
    access = operator.access()
    return provision(items_for(access.country), Bench(access, wishes, planning=True), tell=lambda *_: None)
