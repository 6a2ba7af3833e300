"""Ways to take a prerequisite away, as values: each gives what does it to an environment."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import text
from tests.conftest import INCLUDE, free_port
from tests.onboarding.environments import Environment
from tests.onboarding.gateway import Change, through

from mosip_crvs.mosip.doors import Door
from mosip_crvs.mosip.endpoints import Write
from mosip_crvs.mosip.masterdata import Masterdata
from mosip_crvs.onboarding.surroundings import Identity

Lever = Callable[[Environment], None]

RUNTIME, PROVISIONER = "mosip-crvs1-client", "mosip-deployment-client"
PARTNER, AUTH_PARTNER = "crvs-partner", "crvs-auth"
ACCOUNT = "service-account-"
TOKEN_ADDRESS = r"/realms/mosip/protocol/openid-connect/token"
_GET_CERTIFICATE = Write("GET", "/v1/keymanager/getCertificate?applicationId=REGISTRATION&referenceId={reference}")


def edit(entity: str, row: str, /, *, delete: bool = False, **values: Any) -> Lever:
    """Somebody changes a row at a console; ``{names}`` in its id are ids that provisioning kept."""

    def pull(mosip: Environment) -> None:
        mosip.edit(entity, row.format_map(mosip.ids), delete=delete, **values)

    return pull


def delete(entity: str, row: str) -> Lever:
    """Somebody deletes a row."""
    return edit(entity, row, delete=True)


def give_roles(user: str, *roles: str) -> Lever:
    """Somebody leaves a user with these realm roles."""
    return edit("users", user, roles=["default-roles-mosip", *roles])


def turn_out(service: str, client: str) -> Lever:
    """Somebody takes a client out of a service's audience list."""

    def pull(mosip: Environment) -> None:
        there = mosip.configuration()["audiences"][service]
        mosip.configure(audiences={service: [each for each in there if each != client]})

    return pull


def configure(**changes: Any) -> Lever:
    """Somebody changes MOSIP's property files."""
    return lambda mosip: mosip.configure(**changes)


def tokens_live(seconds: int) -> Lever:
    """Somebody sets the realm's access token lifespan."""

    def pull(mosip: Environment) -> None:
        mosip.post("/sandbox/faults", {"token_seconds": seconds})

    return pull


def variables(**values: str) -> Lever:
    """The operator's environment is wrong; an empty value is no value."""

    def pull(mosip: Environment) -> None:
        mosip.variables.update(values)

    return pull


def gateway(address: str, change: Change) -> Lever:
    """Something in between changes answers."""

    def pull(mosip: Environment) -> None:
        mosip.session = through(address, change)

    return pull


def country(**changes: Any) -> Lever:
    """The country wants something else."""
    return lambda mosip: mosip.wants(**changes)


def country_part(part: str, **changes: Any) -> Lever:
    """The country wants something else in one part of its file."""

    def pull(mosip: Environment) -> None:
        mosip.wants(**{part: msgspec.structs.replace(getattr(mosip.country, part), **changes)})

    return pull


def ledger(statement: str) -> Lever:
    """The ledger is not as the sync left it."""

    def pull(mosip: Environment) -> None:
        with mosip.ledger.begin() as connection:
            connection.execute(text(statement.format_map(mosip.ids)))

    return pull


def lose(name: str) -> Lever:
    """A file of the folder is gone."""
    return lambda mosip: mosip.file(name).unlink()


def forget_secret(client: str) -> Lever:
    """The kept secret of a client is gone."""
    return _rewrite("secrets.json", lambda kept: {name: each for name, each in kept.items() if name != client})


def forget_id(name: str) -> Lever:
    """A kept id is gone."""
    return _rewrite("state.json", lambda kept: {**kept, "ids": {n: i for n, i in kept["ids"].items() if n != name}})


def _rewrite(name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Lever:
    def pull(mosip: Environment) -> None:
        file = mosip.file(name)
        file.write_text(json.dumps(change(json.loads(file.read_text()))))

    return pull


def include_changed(file: str, old: str, new: str) -> Lever:
    """Somebody changed a file of the country's ``include`` folder."""

    def pull(mosip: Environment) -> None:
        folder = mosip.folder.parent / "include"
        for part in ("mappings", "rules", "schemas"):
            shutil.copytree(INCLUDE / part, folder / part)
        found = (folder / file).read_text()
        assert old in found
        (folder / file).write_text(found.replace(old, new))
        mosip.variables["CRVS_INCLUDE_DIR"] = str(folder)

    return pull


def schema_demanding(name: str) -> Lever:
    """Somebody published an ID schema that demands one more of the fields that births must have."""

    def pull(mosip: Environment) -> None:
        schema = json.loads((INCLUDE / "schemas" / "id-schema.json").read_text())
        identity = schema["properties"]["identity"]
        identity["required"].append(name)
        identity["properties"].setdefault(name, {"type": "string"})
        mosip.edit("schemas", "latest", schemaJson=json.dumps(schema))

    return pull


def schema_described(text: str) -> Lever:
    """Somebody published an ID schema with another description."""

    def pull(mosip: Environment) -> None:
        schema = json.loads((INCLUDE / "schemas" / "id-schema.json").read_text())
        mosip.edit("schemas", "latest", schemaJson=json.dumps({**schema, "description": text}))

    return pull


def schema_without(*fields: str) -> Lever:
    """Somebody published an ID schema without some fields."""

    def pull(mosip: Environment) -> None:
        schema = json.loads((INCLUDE / "schemas" / "id-schema.json").read_text())
        for name in fields:
            del schema["properties"]["identity"]["properties"][name]
        mosip.edit("schemas", "latest", schemaJson=json.dumps(schema))

    return pull


def holidays_around_today(mosip: Environment) -> None:
    """The centre's place rests; yesterday and tomorrow too, should midnight come."""
    today = datetime.now(UTC).date()
    mosip.edit("holidays", "KTA", days=[str(today + timedelta(days=each)) for each in (-1, 0, 1)])


def second_center(mosip: Environment) -> None:
    """A blind repetition made a second centre, and nobody kept which is which."""
    _new_center(mosip)
    forget_id("center_id")(mosip)


def second_language(mosip: Environment) -> None:
    """The country speaks one more language, and nobody wrote the centre's texts in it."""
    mosip.configure(languages=["eng", "fra"])
    texts = {**mosip.country.center.texts, "fra": {"name": "État civil", "addressLine1": "1, rue du Registre"}}
    center = msgspec.structs.replace(mosip.country.center, texts=texts)
    mosip.wants(languages=("eng", "fra"), center=center)


def in_days(days: int) -> str:
    """A moment so many days from now, as MOSIP writes it."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def fresh_center(mosip: Environment) -> None:
    """Somebody made a centre, said that it be active, and believed it."""
    before = _ids_of(mosip, "centers")
    _new_center(mosip)
    (made,) = _ids_of(mosip, "centers") - before
    mosip.variables["MOSIP_CENTER_ID"] = made


def _new_center(mosip: Environment) -> None:
    wanted = mosip.country.center
    _masterdata(mosip).create_center({**wanted.fields, **wanted.texts["eng"], "langCode": "eng"})


def fresh_machine(mosip: Environment) -> None:
    """Somebody made a machine, said that it be active, and believed it."""
    before = _ids_of(mosip, "machines")
    _new_machine(mosip, _public_key())
    (made,) = _ids_of(mosip, "machines") - before
    mosip.variables["MOSIP_MACHINE_ID"] = made


def machine_with_another_key(mosip: Environment) -> None:
    """Somebody gave the machine a key of his own."""
    key = _public_key()
    mosip.edit("machines", mosip.ids["machine_id"], publicKey=key, signPublicKey=key)


def key_of_another_machine(mosip: Environment) -> None:
    """The key manager's key is registered for a machine of somebody else's."""
    key = str(mosip.state()["state"]["masterdata"]["machines"][mosip.ids["machine_id"]]["signPublicKey"])
    machine_with_another_key(mosip)
    _new_machine(mosip, key)


def _new_machine(mosip: Environment, key: str) -> None:
    fields = {"name": "resident_machine_1", "ipAddress": "0.0.0.0", "machineSpecId": "RESIDENT-1", "zoneCode": "RSK"}
    keys = {"publicKey": key, "signPublicKey": key}
    _masterdata(mosip).create_machine({**fields, **keys, "regCenterId": mosip.ids["center_id"], "langCode": "eng"})


def _masterdata(mosip: Environment) -> Masterdata:
    return Masterdata(mosip.access().door(Identity.PROVISIONER, Door), "eng")


def _ids_of(mosip: Environment, entity: str) -> set[str]:
    return set(mosip.state()["state"]["masterdata"][entity])


def _public_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = key.public_bytes(serialization.Encoding.PEM, form).decode()
    return "".join(pem.splitlines()[1:-1])


def old_packet_key(mosip: Environment) -> None:
    """Packets were created long ago, and their encryption key ended since."""
    which = f"{mosip.ids['center_id']}_{mosip.ids['machine_id']}"
    mosip.access().door(Identity.PROVISIONER, Door).tell(_GET_CERTIFICATE, reference=which)
    mosip.edit("keys", f"REGISTRATION/{which}", expiryAt=in_days(-3))


def eternal_silence(mosip: Environment) -> None:
    """An application was triggered two days ago, and nothing was heard since."""
    _application(mosip, "20001200770000020261101000000", "TRIGGERED", "now() - interval '2 days'")


def counter_behind(mosip: Environment) -> None:
    """The ledger's counter of AIDs was restored from an old backup."""
    ids = mosip.ids
    aid = f"{ids['center_id']}{ids['machine_id']}0000020261101000000"
    _application(mosip, aid, "COMPLETED", "now()")
    ledger("INSERT INTO aid_clocks VALUES ('{center_id}', '{machine_id}', 1)")(mosip)


def _application(mosip: Environment, aid: str, state: str, triggered: str) -> None:
    ledger(
        "INSERT INTO batches (kind, day, window_start, window_end, run_label) "
        "VALUES ('birth', '2026-11-01', '2026-11-01', '2026-11-02', 'test')"
    )(mosip)
    ledger(
        "INSERT INTO applications (kind, registration_id, act, act_number, aid, batch_id, state, triggered_at) "
        f"SELECT 'birth', 'r1', 'register', 1, '{aid}', max(batch_id), '{state}', {triggered} FROM batches"
    )(mosip)


def several(*levers: Lever) -> Lever:
    """One after the other."""

    def pull(mosip: Environment) -> None:
        for lever in levers:
            lever(mosip)

    return pull


def closed_port() -> str:
    """An address at which nobody listens."""
    return f"http://127.0.0.1:{free_port()}"


def to_closed_port(*names: str) -> Lever:
    """What the variables name is down, or is not there."""
    return lambda mosip: mosip.variables.update(dict.fromkeys(names, closed_port()))
