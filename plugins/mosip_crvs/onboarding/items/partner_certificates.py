"""A partner's key, request, authorities and certificate."""

from __future__ import annotations

from mosip_crvs.errors import MosipRefused, QuestionForOperator, StopTheRun
from mosip_crvs.mosip import partners as pms
from mosip_crvs.onboarding import certificates
from mosip_crvs.onboarding.checks.partners import is_active
from mosip_crvs.onboarding.country import Partner
from mosip_crvs.onboarding.items.steps import creating, patching
from mosip_crvs.onboarding.provision import Bench, Change, Plan, Step


def key_plan(bench: Bench, partner: Partner) -> Plan:
    keeping = bench.keeping
    key, request = certificates.key_file(partner.id), certificates.request_file(partner.id)
    private = keeping.read(key)
    mark = f"{partner.id}/certificate"
    if private is None and mark in keeping.ids:
        raise QuestionForOperator(
            f"the private key {keeping.file(key)} is gone, and MOSIP encrypts to it: put it back from a backup. To "
            f"begin anew with a new key and certificate, remove {mark} from {keeping.state_file}"
        )
    steps: list[Step] = []
    if private is None:
        make = Step(
            Change.LOCAL,
            f"private key {keeping.file(key).name}",
            None,
            lambda: keeping.write(key, certificates.new_key()),
        )
        steps.append(make)
    asked = keeping.read(request)
    if asked is None or private is None or not certificates.request_is_for(asked, private):
        steps.append(
            Step(
                Change.LOCAL,
                f"certificate request {keeping.file(request).name}",
                None,
                lambda: keeping.write(request, _signing_request(bench, partner)),
            )
        )
    return Plan(steps)


def _signing_request(bench: Bench, partner: Partner) -> str:
    private = bench.keeping.read(certificates.key_file(partner.id))
    assert private is not None, "the key is made before the request"
    return certificates.signing_request(private, organization=partner.organization, common_name=partner.id)


def authorities_plan(bench: Bench, partner: Partner) -> Plan:
    keeping = bench.keeping
    leaf = certificates.leaf_file(partner.id)
    missing = [name for name in (*partner.authorities, leaf) if keeping.read(name) is None]
    if missing:
        return Plan(
            gate=f"let your certification authority sign {keeping.file(certificates.request_file(partner.id))} "
            f"(O={partner.organization}, X.509 v3, good for a year or more, the root for more), and put these files, "
            f"in PEM, into the folder for keys: {', '.join(str(keeping.file(name)) for name in missing)}"
        )
    for name in partner.authorities:
        _certificate_in(bench, name)
    signed, _ = _certificate_in(bench, leaf)
    if bench.keymanager.trusts(signed):
        return Plan()
    steps = [_authority(bench, name) for name in partner.authorities]
    left = [step for step in steps if step.what not in bench.uploaded]
    if not left:
        raise QuestionForOperator(
            f"MOSIP was given {', '.join(partner.authorities)} and does not trust {keeping.file(leaf)}: was it signed "
            "by the last of them, and does authorities name every one from the root down?"
        )
    return Plan(left)


def _certificate_in(bench: Bench, name: str) -> tuple[str, certificates.Certificate]:
    """Read a certificate that a person put into the folder for keys: its PEM, and what it says.

    :raises StopTheRun: naming the file, when it is none.
    """
    pem = bench.keeping.read(name) or ""
    try:
        return pem, certificates.read(pem)
    except StopTheRun as problem:
        raise StopTheRun(f"{bench.keeping.file(name)}: {problem}") from None


def _authority(bench: Bench, name: str) -> Step:
    """Upload one authority. No call lists them for everybody; one that is there already is answered as such."""
    what = f"authority {name} for the domain AUTH"

    def upload() -> None:
        bench.partners().upload_authority(bench.keeping.read(name) or "")
        bench.uploaded.add(what)

    return creating(what, pms.UPLOAD_AUTHORITY, upload)


def certificate_plan(bench: Bench, partner: Partner) -> Plan:
    data, keeping = bench.partners(), bench.keeping
    private = keeping.read(certificates.key_file(partner.id))
    assert private is not None, "the key is made before the certificate"
    leaf, ours = _certificate_in(bench, certificates.leaf_file(partner.id))
    if not certificates.belongs_to(ours, private):
        raise QuestionForOperator(
            f"{keeping.file(certificates.leaf_file(partner.id))} is not for the key beside it: have the request signed "
            "again, or put the right key back"
        )
    mark = f"{partner.id}/certificate"
    uploaded = keeping.ids.get(mark)
    there = data.partner(partner.id)
    signed = data.certificate(partner.id) if there else None
    if (
        signed is None
        or certificates.read(signed).public_key != ours.public_key
        or uploaded not in (None, ours.fingerprint)
    ):

        def upload() -> None:
            data.upload_certificate(partner.id, leaf)
            keeping.pin({mark: ours.fingerprint})

        step = creating(f"certificate of {partner.id}", pms.UPLOAD_CERTIFICATE, upload)
        return Plan([step, _keeping(bench, partner)])
    if there is not None and not is_active(there):

        def activate() -> None:
            try:
                data.activate_partner(partner.id)
            except MosipRefused as problem:
                if "PMS_PM_063" not in str(problem):
                    raise
                raise QuestionForOperator(
                    f"MOSIP takes the deactivated partner {partner.id} back no more: choose another partner id in the "
                    "country file"
                ) from None

        return Plan([patching(f"partner {partner.id}: active", pms.ACTIVATE_PARTNER, activate)])
    is_kept = certificates.same(keeping.read(certificates.mosip_file(partner.id)), signed)
    return Plan([] if is_kept else [_keeping(bench, partner, signed)], {mark: ours.fingerprint})


def _keeping(bench: Bench, partner: Partner, signed: str | None = None) -> Step:
    """Keep the certificate that MOSIP made of ours: what it encrypts is marked with this one.

    An earlier one gets a name of its own first, so that a run that is killed in between has lost none.

    :param signed: that certificate; None while it is only planned.
    """
    keeping, name = bench.keeping, certificates.mosip_file(partner.id)

    def keep() -> None:
        assert signed is not None, "it is looked at before it is kept"
        earlier = keeping.read(name)
        if earlier is not None and certificates.is_one(earlier):
            fingerprint = certificates.read(earlier).fingerprint
            keeping.write(certificates.earlier_mosip_file(partner.id, fingerprint), earlier)
        keeping.write(name, signed.replace("\\n", "\n"))

    return Step(Change.LOCAL, f"MOSIP's certificate of {partner.id} in {keeping.file(name).name}", None, keep)
