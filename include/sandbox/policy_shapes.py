"""What a policy's body has to look like, by its type (mosip-onboarding.md §7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.pms import Refused

SHARES = frozenset({"Data Share", "direct"})
ENCRYPTIONS = frozenset({"Partner Based", "none"})
TOKEN_TYPES = frozenset({"random", "partner", "policy"})
SHARE_FIELDS = ("typeOfShare", "validForInMinutes", "transactionsAllowed", "encryptionType", "shareDomain", "source")
AUTH_FIELDS = frozenset({"authTokenType", "allowedAuthTypes", "allowedKycAttributes", "kycLanguages"})


def _invalid(name: str) -> Refused:
    return Refused("PMS_PV_005", f"Invalid input parameter - {name} in policy data")


def _need(found: Mapping[str, Any], name: str, kind: type) -> Any:
    """A mandatory value of a kind.

    :raises Refused: if it is missing, of another kind, or empty.
    """
    if name not in found:
        raise Refused("PMS_PV_006", f"Missing input parameter - {name} in policy data")
    value = found[name]
    if not isinstance(value, kind):
        raise _invalid(name)
    if value in ("", []):
        raise Refused("PMS_PV_009" if value == "" else "PMS_PV_008", f"{name} is empty")
    return value


def _objects(found: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    entries = _need(found, name, list)
    if not all(isinstance(entry, dict) for entry in entries):
        raise _invalid(name)
    return list(entries)


def _data_share(policies: Mapping[str, Any]) -> None:
    share = _need(policies, "dataSharePolicies", dict)
    for name in SHARE_FIELDS:
        _need(share, name, str)
    if share["typeOfShare"] not in SHARES:
        raise _invalid("typeOfShare")
    if share["encryptionType"] not in ENCRYPTIONS:
        raise _invalid("encryptionType")
    for attribute in _objects(policies, "shareableAttributes"):
        _need(attribute, "attributeName", str)
        _need(attribute, "encrypted", bool)
        for source in _objects(attribute, "source"):
            _need(source, "attribute", str)


def _auth(policies: Mapping[str, Any]) -> None:
    for name in policies:
        if name not in AUTH_FIELDS:
            raise _invalid(name)
    if _need(policies, "authTokenType", str) not in TOKEN_TYPES:
        raise _invalid("authTokenType")
    for kind in _objects(policies, "allowedAuthTypes"):
        _need(kind, "authType", str)
        _need(kind, "mandatory", bool)
    for attribute in _objects(policies, "allowedKycAttributes"):
        _need(attribute, "attributeName", str)


_CHECKS = {"DataShare": _data_share, "Auth": _auth}
POLICY_TYPES = frozenset({"Auth", "DataShare", "CredentialIssuance", "MISP"})


def check_policy(policy_type: str, policies: Any) -> None:
    """Nothing for a body of the right shape. Bodies of the two types that CRVS does not use are not looked into.

    :raises Refused: for a type or a body that policy management does not take.
    """
    if policy_type not in POLICY_TYPES:
        raise Refused("PMS_POL_023", f"Given policy type is not allowed {policy_type}")
    if not isinstance(policies, dict):
        raise Refused("PMS_COR_001", "Missing Input Parameter - policies")
    check = _CHECKS.get(policy_type)
    if check is not None:
        check(policies)
