"""What a country wants to find in its MOSIP: one YAML file, the same for looking and for making.

It holds names and settings, never a secret and never an address: those come from the environment or from Airflow's
connections (:mod:`mosip_crvs.onboarding.surroundings`).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from mosip_crvs.errors import CountryFileError

_CENTER_FIELDS = (
    "centerTypeCode",
    "zoneCode",
    "locationCode",
    "holidayLocationCode",
    "latitude",
    "longitude",
    "workingHours",
    "perKioskProcessTime",
    "centerStartTime",
    "centerEndTime",
    "numberOfKiosks",
)
"""What MOSIP demands of a centre."""
_DEGREES = (re.compile(r"-?\d{1,2}\.\d{4,}\Z"), "degrees with one or two digits before the point and four after it")
_TIME = (re.compile(r"\d{2}:\d{2}:\d{2}\Z"), "a time such as 08:00:00")
_CODE = (re.compile(r"\S{1,36}\Z"), "one of MOSIP's codes")
_CENTER_FORMS = {
    "centerTypeCode": _CODE,
    "zoneCode": _CODE,
    "locationCode": _CODE,
    "holidayLocationCode": _CODE,
    "latitude": _DEGREES,
    "longitude": _DEGREES,
    "perKioskProcessTime": _TIME,
    "centerStartTime": _TIME,
    "centerEndTime": _TIME,
}
_PARTNER_KINDS = frozenset(
    {
        "Auth_Partner",
        "Credential_Partner",
        "Online_Verification_Partner",
        "Print_Partner",
        "Manual_Adjudication",
        "ABIS_Partner",
        "Internal_Partner",
        "Binding_Partner",
    }
)
"""Types of partners that belong to a policy group."""
_POLICY_KINDS = frozenset({"Auth", "DataShare", "CredentialIssuance", "MISP"})
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_LANGUAGE = re.compile(r"[a-z]{3}\Z")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")


STATUS_ROLES = frozenset({"REGISTRATION_ADMIN", "REGISTRATION_OFFICER", "REGISTRATION_SUPERVISOR", "RESIDENT"})
"""Realm roles that MOSIP's status calls let in as shipped (``mosip-events.md`` §4.3)."""

OPENING_ROLES = frozenset({"ONLINE_REGISTRATION_CLIENT", "REGISTRATION_PROCESSOR", "GLOBAL_ADMIN"})
"""Realm roles that MOSIP's trigger lets in: it has the list compiled in, so that no other role will do."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the file: a name that is not known is a mistake, not a wish."""


class Clients(_Part, frozen=True):
    """Keycloak clients.

    :param runtime: sends packets and nothing else.
    :param provisioner: reads and prepares masterdata and partners; stock MOSIP has one.
    :param runtime_roles: realm roles of the runtime client; one of them must open the trigger. What else is left out
        is done without: no role for status calls, and only what MOSIP announces settles.
    """

    runtime: str = "mosip-crvs1-client"
    provisioner: str = "mosip-deployment-client"
    runtime_roles: tuple[str, ...] = (
        "ONLINE_REGISTRATION_CLIENT",
        "REGISTRATION_ADMIN",
        "CREDENTIAL_REQUEST",
        "SUBSCRIBE_REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT_GENERAL",
        "SUBSCRIBE_REGISTRATION_PROCESSOR_WORKFLOW_PAUSED_FOR_ADDITIONAL_INFO_EVENT_GENERAL",
        "SUBSCRIBE_IDENTITY_CREATED_GENERAL",
        "SUBSCRIBE_IDENTITY_UPDATED_GENERAL",
    )

    def __post_init__(self) -> None:
        if OPENING_ROLES.isdisjoint(self.runtime_roles):
            raise ValueError(f"runtime_roles must have one of {', '.join(sorted(OPENING_ROLES))}: no other opens MOSIP")


class Center(_Part, frozen=True):
    """The registration centre whose id heads every AID.

    :param texts: by language, the mandatory one first: ``name``, ``addressLine1`` and more of MOSIP's own fields.
    :param fields: everything else of MOSIP's centre, by MOSIP's names.
    """

    texts: dict[str, dict[str, str]]
    fields: dict[str, Any]

    def __post_init__(self) -> None:
        if not self.fields:
            return  # a centre that others made, and of which only the id is known
        if missing := [name for name in _CENTER_FIELDS if name not in self.fields]:
            raise ValueError(f"fields lacks {', '.join(missing)}")
        for name, (pattern, form) in _CENTER_FORMS.items():
            value = self.fields.get(name)
            if not isinstance(value, str) or not pattern.match(value):
                raise ValueError(f"fields.{name} must be {form}, in quotes")
        kiosks = self.fields["numberOfKiosks"]
        if not isinstance(kiosks, int) or isinstance(kiosks, bool) or kiosks < 1:
            raise ValueError("fields.numberOfKiosks must be a number of at least 1")


class Machine(_Part, frozen=True):
    """The machine whose key is the key manager's.

    :param specification: id or name of an existing machine specification.
    :param zone: of the machine; the centre's if empty.
    """

    name: str
    specification: str = "RESIDENT-1"
    zone: str = ""


class Officer(_Part, frozen=True):
    """The officer that packets name; nobody ever logs in as that officer."""

    user: str = "crvs"
    first_name: str = "Civil"
    last_name: str = "Registration"
    email: str = ""
    role: str = "REGISTRATION_OFFICER"


class IdSchema(_Part, frozen=True):
    """The ID schema.

    :param file: in MOSIP's structure, relative to the country file.
    :param fields: that the published schema must have, or births and deaths cannot be sent.
    """

    file: str = "../schemas/id-schema.json"
    title: str = "CRVS identity"
    fields: tuple[str, ...] = ("declaredAsDeceased", "deceasedDeclarationDate", "typeOfDeath")


class Policy(_Part, frozen=True):
    """A policy and the group that it belongs to.

    :param kind: MOSIP's ``policyType``: ``DataShare`` or ``Auth``.
    :param body: MOSIP's ``policies``.
    """

    group: str
    name: str
    kind: str
    body: dict[str, Any]
    description: str = "Civil registration"
    version: str = "1.0"

    def __post_init__(self) -> None:
        if self.kind not in _POLICY_KINDS:
            raise ValueError(f"kind must be one of {', '.join(sorted(_POLICY_KINDS))}, not {self.kind!r}")
        shared = self.body.get("shareableAttributes")
        for each in shared if isinstance(shared, list) else ():
            if isinstance(each, dict) and each.get("group") == "":
                raise ValueError(
                    f"the shareable attribute {each.get('attributeName')} has the group \"\", and MOSIP leaves it "
                    "out of credentials without a word: take the group away"
                )


class Partner(_Part, frozen=True):
    """A partner of ours and its certificates; its organisation must be the certificate's ``O``, letter by letter.

    :param id: lower case, because the Keycloak client of this name subscribes for it.
    :param authorities: PEM files, the root first, in the folder for keys unless absolute.
    :param api_key: label of an API key to have; empty for none.
    """

    id: str
    kind: str
    organization: str
    policy: Policy
    address: str
    phone: str
    email: str
    authorities: tuple[str, ...] = ("root.pem", "intermediate.pem")
    credential_type: str = ""
    api_key: str = ""

    def __post_init__(self) -> None:
        if not _NAME.match(self.id) or len(self.id) > 36:
            raise ValueError(f"the partner id {self.id!r} must be lower case, without spaces, of at most 36 characters")
        if self.kind not in _PARTNER_KINDS:
            raise ValueError(f"kind must be one of {', '.join(sorted(_PARTNER_KINDS))}, not {self.kind!r}")
        if not _EMAIL.match(self.email):
            raise ValueError(f"email {self.email!r} is no address")


class RelyingParty(_Part, frozen=True):
    """The OIDC client by which informants are authenticated."""

    name: str
    logo: str
    redirect_uris: tuple[str, ...]
    acr: tuple[str, ...] = ("mosip:idp:acr:generated-code",)


class Subscriber(_Part, frozen=True):
    """The Keycloak client that is named as the credential partner, because the hub wants it so.

    :param roles: the first one is for the partner's topic, the others for what is done with a credential: to say that
        it came, and to have a lost one issued again.
    """

    roles: tuple[str, ...] = (
        "SUBSCRIBE_CREDENTIAL_ISSUED_INDIVIDUAL",
        "PUBLISH_CREDENTIAL_STATUS_UPDATE_GENERAL",
        "CREDENTIAL_REQUEST",
        "CREATE_SHARE",
    )


class Thresholds(_Part, frozen=True):
    """When a check is no longer content.

    :param holiday_days: how many days ahead holidays are asked for and kept.
    """

    clock_seconds: float = 30.0
    token_seconds: float = 60.0
    expiry_days: int = 60
    holiday_days: int = 14
    event_hours: float = 24.0


class Country(_Part, frozen=True):
    """Everything that one environment of a country's MOSIP must have.

    :param environment: names the files of what was made there.
    :param languages: MOSIP's, the first mandatory one first.
    :param zone: the root zone, the provisioner's own.
    :param issuer_host: the host in ``auth.server.admin.issuer.uri``, whose tokens alone MOSIP believes.
    :param folder: where the file lies.
    """

    environment: str
    zone: str
    center: Center
    machine: Machine
    languages: tuple[str, ...] = ("eng",)
    clients: Clients = Clients()
    officer: Officer = Officer()
    id_schema: IdSchema = IdSchema()
    credential_partner: Partner | None = None
    authentication_partner: Partner | None = None
    relying_party: RelyingParty | None = None
    subscriber: Subscriber = Subscriber()
    thresholds: Thresholds = Thresholds()
    issuer_host: str = ""
    folder: str = ""

    def __post_init__(self) -> None:
        if not _NAME.match(self.environment):
            raise ValueError(f"environment {self.environment!r} must be lower case letters, digits, '.', '_' and '-'")
        if not self.languages or not all(map(_LANGUAGE.match, self.languages)):
            raise ValueError("languages must name at least one language, each by three letters such as eng")
        if self.officer.user != self.officer.user.lower():
            raise ValueError("officer.user must be lower case: MOSIP lowers it and looks for the lowered name")
        if missing := [each for each in self.languages if "name" not in self.center.texts.get(each, {})]:
            raise ValueError(f"center.texts lacks a name in {', '.join(missing)}")
        if len({partner.id for partner in self.partners}) < len(self.partners):
            raise ValueError("credential_partner and authentication_partner need ids of their own: one id has one type")
        if self.relying_party and not self.authentication_partner:
            raise ValueError("relying_party needs an authentication_partner")

    @property
    def language(self) -> str:
        """The first mandatory language, in which MOSIP's stages look things up."""
        return self.languages[0]

    @property
    def center_name(self) -> str:
        """The centre's name in that language: how it is found."""
        return self.center.texts[self.language]["name"]

    @property
    def partners(self) -> tuple[Partner, ...]:
        """The partners that are wanted."""
        return tuple(each for each in (self.credential_partner, self.authentication_partner) if each)

    def schema(self) -> dict[str, Any]:
        """Read the ID schema that the country wants.

        :raises CountryFileError: when the file cannot be read.
        """
        path = Path(self.folder) / self.id_schema.file
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise CountryFileError(f"id_schema.file {path} cannot be read: {type(problem).__name__}") from problem
        if not isinstance(found, dict):
            raise CountryFileError(f"id_schema.file {path} is not a JSON object")
        return found


class _GivenTwice(yaml.constructor.ConstructorError):
    """A name was given twice in one mapping."""


class _OnceLoader(yaml.SafeLoader):
    """A safe loader that refuses a name that is given twice: the first value would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Read a mapping."""
        names = [key.value for key, _ in node.value]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise _GivenTwice(problem=f"gives {twice} twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


def read_country(path: Path) -> Country:
    """Read and check a country file.

    :raises CountryFileError: naming the file, the place in it and what is wrong.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _OnceLoader)  # noqa: S506 (it is a safe loader)
    except (OSError, UnicodeDecodeError) as problem:
        raise CountryFileError(f"the country file {path} cannot be read: {type(problem).__name__}") from problem
    except yaml.YAMLError as problem:
        place = getattr(problem, "problem_mark", None)
        where = f" in line {place.line + 1}" if place else ""
        twice = getattr(problem, "problem", "") if isinstance(problem, _GivenTwice) else "is not YAML"
        raise CountryFileError(f"the country file {path} {twice}{where}") from problem
    if not isinstance(content, dict):
        raise CountryFileError(f"the country file {path} must be a mapping: see include/onboarding/demo.yaml")
    try:
        return msgspec.convert({**content, "folder": str(path.parent)}, Country)
    except msgspec.ValidationError as problem:
        raise CountryFileError(f"the country file {path}: {problem}") from problem
