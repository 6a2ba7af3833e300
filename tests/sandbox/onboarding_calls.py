"""Someone who sets a MOSIP up: calls of Keycloak's admin API, masterdata and key manager, and bodies for them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sandbox_calls import Caller

KEYCLOAK = "/auth/admin/realms/mosip"
MASTERDATA = "/v1/masterdata"
KEYMANAGER = "/v1/keymanager"
PROVISIONER = "mosip-deployment-client"
OFFICER = "crvs-officer"
SEARCH = {"filters": [], "sort": [], "pagination": {"pageStart": 0, "pageFetch": 10}, "languageCode": "eng"}

CENTER: dict[str, Any] = {
    "name": "Civil registry",
    "addressLine1": "1 Main Street",
    "langCode": "eng",
    "isActive": True,
    "centerTypeCode": "REG",
    "latitude": "34.5288",
    "longitude": "-6.8416",
    "locationCode": "14022",
    "holidayLocationCode": "NOHOL",
    "workingHours": "24:00:00",
    "perKioskProcessTime": "00:15:00",
    "centerStartTime": "00:00:00",
    "centerEndTime": "23:59:59",
    "zoneCode": "RSK",
    "workingNonWorkingDays": {"101": True, "102": True, "999": True},
    "exceptionalHolidayPutPostDto": [],
    "numberOfKiosks": 1,
}


def now() -> str:
    """A time as it stands in masterdata's paths."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def new_key() -> str:
    """A public key that no machine has."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return base64.urlsafe_b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def machine(center_id: str | None, key: str, **changes: Any) -> dict[str, Any]:
    """A machine's body."""
    return {
        "name": "crvs_machine",
        "ipAddress": "0.0.0.0",
        "machineSpecId": "RESIDENT-1",
        "isActive": True,
        "zoneCode": "RSK",
        "regCenterId": center_id,
        "publicKey": key,
        "signPublicKey": key,
    } | changes


class Provisioner:
    """Calls as the provisioning client, or as somebody else."""

    def __init__(self, mosip: Caller) -> None:
        self.mosip = mosip
        self.sandbox = mosip.sandbox
        self.token = self.sandbox.token(client_id=PROVISIONER)
        self.globaladmin = self.sandbox.token(client_id="mosip-admin-client", username="globaladmin")

    async def said(self, method: str, path: str, request: Any = None, *, token: str | None = None) -> Any:
        """The envelope of an admitted call."""
        body = None if request is None else {"request": request}
        status, answer, _ = await self.mosip.call(method, path, body, token=token or self.token)
        assert status == 200, (status, answer)
        return answer

    async def do(self, method: str, path: str, request: Any = None, *, token: str | None = None) -> Any:
        """The response of a call that succeeds."""
        answer = await self.said(method, path, request, token=token)
        assert not answer["errors"], answer["errors"]
        return answer["response"]

    async def code(self, method: str, path: str, request: Any = None, *, token: str | None = None) -> str | None:
        """The error code of a call, None when it succeeded."""
        errors = (await self.said(method, path, request, token=token))["errors"]
        return errors[0]["errorCode"] if errors else None

    async def fault(self, method: str, path: str, request: Any) -> str:
        """The error code of a call that ends in an exception of the service."""
        status, answer, _ = await self.mosip.call(method, path, {"request": request}, token=self.token)
        assert status == 500, (status, answer)
        return str(answer["errors"][0]["errorCode"])

    async def be_mapped(self) -> None:
        """Give the provisioner the root zone, as globaladmin."""
        user = f"service-account-{PROVISIONER}"
        body = {"zoneCode": "MOR", "userId": user, "langCode": "eng", "isActive": True}
        await self.do("POST", f"{MASTERDATA}/zoneuser", body, token=self.globaladmin)
        await self.do("PATCH", f"{MASTERDATA}/zoneuser?userId={user}&isActive=true", token=self.globaladmin)

    async def center(self, **changes: Any) -> str:
        """The id of a new, active centre."""
        made = await self.do("POST", f"{MASTERDATA}/registrationcenters", CENTER | changes)
        await self.do("PATCH", f"{MASTERDATA}/registrationcenters?id={made['id']}&isActive=true")
        return str(made["id"])

    async def machine(self, center_id: str, key: str, **changes: Any) -> str:
        """The id of a new, active machine."""
        made = await self.do("POST", f"{MASTERDATA}/machines", machine(center_id, key, **changes))
        await self.do("PATCH", f"{MASTERDATA}/machines?id={made['id']}&isActive=true")
        return str(made["id"])

    async def officer(self, center_id: str, user: str = OFFICER) -> None:
        """Map a user to the leaf zone and to a centre, both active."""
        zone = {"zoneCode": "RSK", "userId": user, "langCode": "eng", "isActive": True}
        await self.do("POST", f"{MASTERDATA}/zoneuser", zone)
        await self.do("PATCH", f"{MASTERDATA}/zoneuser?userId={user}&isActive=true")
        await self.do("POST", f"{MASTERDATA}/usercentermapping", mapping(center_id, user))
        await self.do("PATCH", f"{MASTERDATA}/usercentermapping?id={user}&isActive=true")

    async def signing_key(self) -> str:
        """The key manager's own public key."""
        return str(
            (await self.do("POST", f"{KEYMANAGER}/tpmsigning/publickey", {"serverProfile": "Prod"}))["publicKey"]
        )

    async def control(self, path: str, body: Any = None) -> Any:
        """One of the sandbox's own calls."""
        status, answer, _ = await self.mosip.call("GET" if body is None else "POST", f"/sandbox/{path}", body)
        assert status == 200, answer
        return answer

    async def edit(self, entity: str, id: str, **values: Any) -> None:
        """Change a row behind MOSIP's back."""
        await self.control("edit", {"entity": entity, "id": id, "set": values})

    async def count(self) -> int:
        """How many changes were accepted so far."""
        return int((await self.control("writes"))["count"])


def mapping(center_id: str, user: str = OFFICER, **changes: Any) -> dict[str, Any]:
    """The body of a user's centre mapping."""
    return {
        "id": user,
        "name": None,
        "statusCode": None,
        "regCenterId": center_id,
        "isActive": True,
        "langCode": "eng",
    } | changes
