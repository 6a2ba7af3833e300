"""A credential partner for the sandbox's tests: it subscribes, fetches, decrypts and verifies with code of its own."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from certificate_authority import Key, root
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from pms_calls import PARTNERS, Desk, ca_request, leaf_request, partner_request
from sandbox_calls import Caller, Subscriber

TOPIC = "crvs-partner/CREDENTIAL_ISSUED"
SPLITTER = b"#KEY_SPLITTER#"
NAME_AND_UIN: list[dict[str, Any]] = [
    {"attributeName": "UIN", "source": [{"attribute": "UIN"}], "encrypted": False},
    {"attributeName": "name", "source": [{"attribute": "fullName"}], "encrypted": False},
]


def decode(text: str) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Partner:
    """The default partner of an onboarded sandbox.

    :ivar certificate: whom credentials are encrypted to.
    """

    id = "crvs-partner"

    def __init__(self, mosip: Caller, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
        self.mosip = mosip
        self.key = key
        self.certificate = certificate
        self.token = mosip.sandbox.token(client_id=self.id)

    @classmethod
    async def of(cls, mosip: Caller) -> Partner:
        """The one that the sandbox made a key for."""
        _, found, _ = await mosip.call("GET", "/sandbox/credential-partner")
        key = load_pem_private_key(found["privateKey"].encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return cls(mosip, key, x509.load_pem_x509_certificate(found["certificate"].encode()))

    async def subscribe(self, subscriber: Subscriber) -> None:
        """Subscribe to this partner's topic."""
        mine, self.mosip.token = self.mosip.token, self.token
        await self.mosip.subscribe(subscriber, TOPIC)
        self.mosip.token = mine

    async def fetch(self, link: str) -> tuple[Any, Any]:
        """Body and headers of a data share."""
        _, body, headers = await self.mosip.call("GET", link.removeprefix(self.mosip.sandbox.url), token=self.token)
        return body, headers

    async def request(self, id: str, method: str = "GET", what: str = "get") -> Any:
        """A call of the credential request generator."""
        path = f"/v1/credentialrequest/{what}/{id}"
        _, answer, _ = await self.mosip.call(method, path, token=self.token)
        return answer

    async def publish_status(self, id: str, status: str, url: str = "") -> None:
        """Tell MOSIP what became of a credential."""
        body = {"publisher": self.id, "event": {"id": "1", "requestId": id, "status": status, "url": url}}
        path = "/hub/?hub.mode=publish&hub.topic=CREDENTIAL_STATUS_UPDATE"
        _, answer, _ = await self.mosip.call("POST", path, body, token=self.token)
        assert answer == "hub.mode=accepted"

    def open(self, text: str, *, legacy: bool = False) -> bytes:
        """The plain bytes of a cipher text, which must be of the layout asked for."""
        head, rest = decode(text).split(SPLITTER, 1)
        if legacy:
            assert not head.startswith(b"VER_R2")
            sealed, nonce, additional = rest[:-16], rest[-16:], None
        else:
            assert head.startswith(b"VER_R2")
            head, additional, sealed = head[6:], rest[:32], rest[32:]
            nonce = additional[:12]
        assert head[:32] == hashlib.sha256(self.certificate.public_bytes(Encoding.DER)).digest()
        oaep = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)
        return AESGCM(self.key.decrypt(head[32:], oaep)).decrypt(nonce, sealed, additional)

    async def verify(self, jws: str, document: bytes) -> None:
        """A detached signature, by the certificate that the key manager gives out for KERNEL / SIGN."""
        path = "/v1/keymanager/getCertificate?applicationId=KERNEL&referenceId=SIGN"
        regproc = self.mosip.sandbox.token(client_id="mosip-regproc-client")
        _, answer, _ = await self.mosip.call("GET", path, token=regproc)
        signer = x509.load_pem_x509_certificate(answer["response"]["certificate"].encode())
        header, nothing, signature = jws.split(".")
        assert nothing == ""
        read = json.loads(decode(header))
        assert (read["alg"], base64.b64decode(read["x5c"][0])) == ("RS256", signer.public_bytes(Encoding.DER))
        payload = base64.urlsafe_b64encode(document).rstrip(b"=")
        public = signer.public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        public.verify(decode(signature), header.encode() + b"." + payload, padding.PKCS1v15(), SHA256())


class ProvisionedPartner(Partner):
    """A partner that partner management knows, of the same name; its client has to be there."""

    @classmethod
    async def provision(
        cls,
        mosip: Caller,
        attributes: list[dict[str, Any]],
        kind: str = "opencrvs",
        own: Key | None = None,
        **share: str,
    ) -> Partner:
        """Group, policy, partner, certificate, approved mapping and credential type.

        :param own: the key of the certificate, if not a new RSA one.
        """
        desk = Desk(mosip)
        policies = {"typeOfShare": "Data Share", "validForInMinutes": "30", "transactionsAllowed": "2"}
        policies |= {"encryptionType": "Partner Based", "shareDomain": "datashare.datashare", "source": "r"} | share
        body = {"dataSharePolicies": policies, "shareableAttributes": attributes}
        await desk.published(await desk.group(), body=body)
        await desk.do("POST", PARTNERS, partner_request(cls.id))
        authority, key = root(), rsa.generate_private_key(65537, 2048)
        await desk.do("POST", f"{PARTNERS}/certificate/ca/upload", ca_request(authority.pem))
        answer = await desk.do(
            "POST", f"{PARTNERS}/certificate/upload", leaf_request(authority.leaf(key=own or key), cls.id)
        )
        await desk.mapped(partner=cls.id)
        await desk.do("POST", f"{PARTNERS}/{cls.id}/credentialtype/{kind}/policies/births")
        return cls(mosip, key, x509.load_pem_x509_certificate(answer["signedCertificateData"].encode()))
