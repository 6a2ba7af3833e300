"""The credential service: issues a credential to each wired partner and tells the hub (mosip-events.md §2.4, §2.5)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from sandbox.credential_cipher import Signer, encrypt
from sandbox.credential_content import Content, NotIssuable, Person, make_content
from sandbox.credential_partners import CredentialPartners, Wiring
from sandbox.data_share import DataShare
from sandbox.events import Publisher
from sandbox.faults import Faults
from sandbox.packet_store import StoredPacket
from sandbox.record import Record
from sandbox.wire import now_text

TEMPLATE = "RPR_UIN_CARD_TEMPLATE"


@dataclass(slots=True)
class CredentialRequest:
    """A row of `credential_transaction`.

    :param status: `NEW`, `ISSUED`, `FAILED`, `RETRY`, or whatever word a partner wrote over it.
    :param url: the last link; None when the credential travelled in the event.
    """

    request_id: str
    wiring: Wiring
    packet: StoredPacket
    uin: str
    status: str = "NEW"
    url: str | None = None

    @property
    def rid(self) -> str:
        """The application it was requested for."""
        return self.packet.aid


@dataclass(slots=True)
class Issue:
    """One credential of a request; a retrigger makes another.

    :param legacy: encrypted in the older layout.
    :param content: what is signed; made when somebody wants it.
    """

    request: CredentialRequest
    legacy: bool
    signer: Callable[[], Signer]
    url: str | None = None
    content: Content | None = None

    def made(self) -> Content:
        """The content.

        :raises NotIssuable: when MOSIP's provider would fail.
        """
        if self.content is None:
            request = self.request
            wiring, person = request.wiring, Person(request.rid, request.uin, request.packet.identity())
            self.content = make_content(
                person, wiring.partner_id, wiring.credential_type, wiring.attributes, self.signer()
            )
        return self.content

    def sealed(self) -> str:
        """The content as it leaves: encrypted, unless the policy shares it plain."""
        document, wiring = self.made().document, self.request.wiring
        if self.url is not None and not wiring.is_encrypted:
            return document.decode("utf-8", "surrogatepass")
        return encrypt(document, wiring.certificate(), legacy=self.legacy)


def metadata(packet: StoredPacket, labels: tuple[str, ...]) -> dict[str, str]:
    """Labels of the packet's metaInfo that the partner's entry names in `metaInfoFields`."""
    found = packet.meta().get("metaData") if labels else None
    entries = found if isinstance(found, list) else []
    pairs = {str(entry.get("label")): entry.get("value") for entry in entries if isinstance(entry, dict)}
    return {label: str(pairs[label]) for label in labels if pairs.get(label) is not None}


class Credentials:
    """Requests by id, and their way to the partners.

    A credential that nobody can see is not made: an event needs a subscriber, a data share a GET.

    :param suffix: `appIdBasedCredentialIdSuffix`; with one, a request's id is RID and suffix.
    :param labels: `metaInfoFields` of every partner.
    :param signer: the key manager's key that credentials are signed with.
    """

    def __init__(
        self,
        partners: CredentialPartners,
        share: DataShare,
        publisher: Publisher,
        *,
        faults: Faults,
        record: Record,
        signer: Callable[[], Signer],
        suffix: str,
        labels: tuple[str, ...],
    ) -> None:
        self._partners = partners
        self._share = share
        self._publisher = publisher
        self._faults = faults
        self._record = record
        self._signer = signer
        self._suffix = suffix
        self._labels = labels
        self.requests: dict[str, CredentialRequest] = {}

    def request(self, packet: StoredPacket, uin: str) -> None:
        """What the credential requestor does at the end of a birth: a request for each wired partner, issued at once.

        Partners who share a suffix share an id as well: the last one's request stays, as in MOSIP.
        """
        if self._faults.hit("credential_missing", packet.aid):
            return
        for wiring in self._partners.of(packet.process):
            id = packet.aid + self._suffix if self._suffix else str(uuid.uuid4())
            self.requests[id] = CredentialRequest(id, wiring, packet, uin)
            self.issue(self.requests[id])

    def issue(self, request: CredentialRequest) -> None:
        """Issue, for the first time or again: a new credential, a new link, a new event."""
        issue = Issue(request, self._faults.hit("cipher_legacy", request.rid), self._signer)
        try:
            request.wiring.check_key()
            if any(_may_fail(attribute) for attribute in request.wiring.attributes):
                issue.made()
        except NotIssuable:
            request.status = "FAILED"
            return
        if not request.wiring.is_inline and not self._faults.hit("credential_inline", request.rid):
            issue.url = self._share.create(
                request.wiring, request.rid, request.request_id, lambda: issue.sealed().encode("utf-8", "surrogatepass")
            )
        request.status, request.url = "ISSUED", issue.url
        self._record.credential_issued(request.rid, request.request_id, request.wiring.partner_id)
        self._publish(issue)

    def take_status(self, message: Any) -> None:
        """A partner's `CREDENTIAL_STATUS_UPDATE` writes over the status, with any word; unknown ones are ignored."""
        event = message.get("event") if isinstance(message, dict) else None
        if not isinstance(event, dict):
            return
        request = self.requests.get(str(event.get("requestId")))
        if request is None:
            return
        request.status = str(event.get("status"))
        request.url = event.get("url") or request.url
        self._record.credential_status(request.rid, request.request_id, request.status)

    def _publish(self, issue: Issue) -> None:
        def publish() -> None:
            sent = self._publisher.publish_if_wanted(request.wiring.topic, event, request.rid)
            self._record.credential_event(request.rid, request.request_id, lost=not sent)

        request, event = issue.request, cache(partial(self._event, issue))
        if self._faults.hit("credential_event_lost", request.rid):
            self._record.credential_event(request.rid, request.request_id, lost=True)
            return
        if self._faults.hit("credential_duplicate", request.rid):
            publish()
        if self._faults.hit("credential_delay", request.rid):
            self._publisher.later(self._faults.seconds("credential_delay"), publish)
        else:
            publish()

    def _event(self, issue: Issue) -> dict[str, Any]:
        """The envelope; exactly one of `dataShareUri` and `data.credential` is there."""
        content, request, now = issue.made(), issue.request, now_text()
        data: dict[str, Any] = {"registrationId": request.rid, "templateTypeCode": TEMPLATE}
        data |= metadata(request.packet, self._labels) | content.extra
        if issue.url is None:
            data["credential"] = issue.sealed()
        data["proof"] = {"signature": self._signer().jwt_sign(content.document)}
        data |= {"credentialType": request.wiring.credential_type, "protectionKey": None}
        return {
            "publisher": "CREDENTIAL_SERVICE",
            "topic": request.wiring.topic,
            "publishedOn": now,
            "event": {
                "id": str(uuid.uuid4()),
                "transactionId": request.request_id,
                "type": {"namespace": "mosip", "name": "mosip"},
                "timestamp": now,
                "dataShareUri": issue.url,
                "data": data,
            },
        }


def _may_fail(attribute: Mapping[str, Any]) -> bool:
    """Can it break MOSIP's provider? Then the content is made at once, to know."""
    return bool(attribute.get("encrypted")) or str(attribute["source"][0]["attribute"]).upper() == "VID"
