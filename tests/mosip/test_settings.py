"""Settings: what the connection lacks or has wrong is told by name, before anything is sent."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mosip_crvs.errors import StopTheRun
from mosip_crvs.mosip.settings import EXTRA_FIELDS, MosipSettings, from_extra
from mosip_crvs.packet.request import Registrar

URL = "https://api-internal.example.org"
EXTRA = {"center_id": "10001", "machine_id": "20002"}
SECRET = "s3cr3t-Quetzalcoatlus"


def _settings(url: str = URL, login: str = "client", password: str = SECRET, **extra: Any) -> MosipSettings:
    return from_extra(url, login, password, EXTRA | extra)


def _refusal(*args: Any, **extra: Any) -> str:
    with pytest.raises(StopTheRun) as caught:
        _settings(*args, **extra)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_centre_and_machine_are_enough_and_the_rest_is_mosips_default() -> None:
    settings = _settings()
    assert settings == MosipSettings(URL, "client", SECRET, "10001", "20002")
    assert settings.registrar == Registrar("10001", "20002", "crvs", "CRVS1")
    assert settings.token_path == "/auth/realms/mosip/protocol/openid-connect/token"
    assert (settings.source, settings.hub_path, settings.schema_version) == ("CRVS1", "/hub/", "0.1")


def test_the_secret_is_in_no_representation() -> None:
    assert SECRET not in repr(_settings())
    assert SECRET not in repr(_settings(client_secret_next=SECRET))
    assert SECRET not in repr(_settings(partner_id="crvs1", partner_secret=SECRET))
    assert SECRET not in str(_settings())


def test_every_extra_can_be_set() -> None:
    extra = {
        "center_id": "11111", "machine_id": "22222", "officer_id": "o", "source": "OPENCRVS", "realm": "r",
        "login_via": "authmanager", "app_id": "admin", "receiver_url": "https://crvs.example.org/", "concurrency": 7,
        "events_per_second": 2.5, "timeout": 11.0, "takeover_wait": 3.0, "keycloak_path": "/kc",
        "hub_path": "/websub/hub", "schema_version": "0.2", "language": "fra", "holidays": "2026-12-25",
        "keycloak_url": "https://iam.example.org", "client_secret_next": "next",
        "partner_id": "crvs1", "partner_secret": "the-partners", "poll_after": 5.0, "half_created_after": 6.0,
        "credential_suffix": "-crvs", "data_share_hosts": "a.example, b.example:8080", "identifiers": ["PSUT", "UIN"],
        "partner_keys": "/keys", "mosip_signing_certificates": "signers.pem", "credential_proof": "warn",
        "credential_status": "printed", "credential_keep_days": 7.0,
    }  # fmt: skip
    settings = from_extra(URL, "client", SECRET, extra)
    assert {name: getattr(settings, name) for name in extra} == {
        **extra,
        "holidays": frozenset({date(2026, 12, 25)}),
        "data_share_hosts": ("a.example", "b.example:8080"),
        "identifiers": ("PSUT", "UIN"),
    }
    assert set(extra) == EXTRA_FIELDS
    assert settings.token_path == "/v1/authmanager/authenticate/clientidsecretkey"
    assert settings.registrar.ref_id == "11111_22222"


def test_the_partner_enters_with_its_own_secret_or_is_the_client_itself() -> None:
    other = _settings(partner_id="crvs1", partner_secret="the-partners", client_secret_next="next").partner_login
    assert other is not None
    assert (other.client_id, other.client_secret, other.client_secret_next) == ("crvs1", "the-partners", "")
    same = _settings(partner_id="client")
    assert same.partner_login == same
    assert _settings(partner_id="crvs1").partner_login is None
    assert _settings().partner_login is None


@pytest.mark.parametrize("partner", ["CRVS1", "crvs1/CREDENTIAL_ISSUED", "-crvs", "a b"])
def test_a_partner_that_keycloak_could_not_name_so_is_refused(partner: str) -> None:
    assert "lower case" in _refusal(partner_id=partner)


def test_tokens_come_from_below_the_base_url_unless_keycloak_lies_elsewhere() -> None:
    assert _settings().token_base == URL
    assert _settings(keycloak_url="https://iam.example.org/").token_base == "https://iam.example.org"
    assert _settings(keycloak_url="https://iam.example.org", login_via="authmanager").token_base == URL
    assert "keycloak_url must be a URL" in _refusal(keycloak_url="iam.example.org")


def test_extras_that_are_not_ours_are_left_alone() -> None:
    assert _settings(verify=False, proxies={"https": "x"}, client_secret="other", base_url="other") == _settings()


@pytest.mark.parametrize(
    "url", ["", "api.example.org", "ftp://api.example.org", "postgresql://db", "http://", "https:///x", "http://["]
)
def test_an_address_that_is_no_web_address_is_refused(url: str) -> None:
    assert "host must be a URL such as https://" in _refusal(url)


@pytest.mark.parametrize("url", [URL, URL + "/", "http://127.0.0.1:8080", "https://[::1]:8443"])
def test_a_web_address_is_kept_without_its_last_slash(url: str) -> None:
    assert _settings(url).base_url == url.rstrip("/")


@pytest.mark.parametrize(("login", "password"), [("", SECRET), ("client", ""), ("", "")])
def test_a_missing_client_or_secret_is_told(login: str, password: str) -> None:
    assert "needs a login (client id) and a password (client secret)" in _refusal(URL, login, password)


@pytest.mark.parametrize("missing", [["center_id"], ["machine_id"], ["center_id", "machine_id"]])
@pytest.mark.parametrize("nothing", [None, "", "absent"])
def test_a_missing_centre_or_machine_is_named(missing: list[str], nothing: str | None) -> None:
    extra: dict[str, Any] = dict(EXTRA)
    for name in missing:
        if nothing == "absent":
            del extra[name]
        else:
            extra[name] = nothing
    with pytest.raises(StopTheRun, match=f"extra lacks {', '.join(missing)}$"):
        from_extra(URL, "client", SECRET, extra)


@pytest.mark.parametrize("name", ["center_id", "machine_id"])
@pytest.mark.parametrize("wrong", ["1000", "100011", "1000a", "１０００１", 7, [10001]])
def test_a_centre_or_machine_that_is_not_five_digits_is_named(name: str, wrong: Any) -> None:
    assert f"{name} must be exactly 5 digits" in _refusal(**{name: wrong})


def test_a_centre_written_as_a_number_is_understood() -> None:
    assert _settings(center_id=10001, schema_version=0.1).center_id == "10001"


@pytest.mark.parametrize("wrong", ["Keycloak", "basic", 7, ["keycloak"]])
def test_an_unknown_login_via_is_told_which_there_are(wrong: Any) -> None:
    assert "login_via must be keycloak or authmanager" in _refusal(login_via=wrong)


@pytest.mark.parametrize("name", ["concurrency", "events_per_second", "timeout", "takeover_wait"])
@pytest.mark.parametrize("wrong", ["many", [1], {"a": 1}, "1,5", float("inf"), float("nan"), -1])
def test_a_number_that_is_none_is_named(name: str, wrong: Any) -> None:
    assert f"{name} must be a number" in _refusal(**{name: wrong})


@pytest.mark.parametrize("name", ["concurrency", "timeout"])
def test_nought_would_wait_for_ever_and_is_refused(name: str) -> None:
    assert f"{name} must be a number of at least" in _refusal(**{name: 0})


@pytest.mark.parametrize("name", ["events_per_second", "takeover_wait"])
def test_nought_may_mean_none(name: str) -> None:
    assert getattr(_settings(**{name: 0}), name) == 0


@pytest.mark.parametrize(("name", "text", "value"), [("concurrency", "32", 32), ("timeout", "2.5", 2.5)])
def test_a_number_written_as_text_is_understood(name: str, text: str, value: float) -> None:
    assert getattr(_settings(**{name: text}), name) == value


@pytest.mark.parametrize("name", sorted(EXTRA_FIELDS - set(EXTRA) - {"keycloak_path"}))
@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_extra_means_the_default(name: str, nothing: str | None) -> None:
    assert _settings(**{name: nothing}) == _settings()


def test_a_keycloak_of_today_has_no_path_of_its_own() -> None:
    assert _settings(keycloak_path=None).token_path.startswith("/auth/realms/")
    assert _settings(keycloak_path="").token_path.startswith("/realms/")
    assert _settings(keycloak_path="/").token_path.startswith("/realms/")


@pytest.mark.parametrize(
    ("given", "days"),
    [
        ("2026-12-25", {(2026, 12, 25)}),
        (" 2026-12-25 ,2027-01-01", {(2026, 12, 25), (2027, 1, 1)}),
        (["2026-12-25", "2027-01-01"], {(2026, 12, 25), (2027, 1, 1)}),
        ([], set()),
        ("none", set()),
        (" None ", set()),
    ],
)
def test_holidays_are_a_list_of_dates_or_none_at_all(given: Any, days: set[tuple[int, int, int]]) -> None:
    assert _settings(holidays=given).holidays == {date(*day) for day in days}


def test_holidays_that_nobody_listed_are_not_known() -> None:
    assert _settings().holidays is None


@pytest.mark.parametrize("wrong", ["25.12.2026", "Christmas", "2026-12-25,,", "2026-13-01", " ", [7], 20261225, True])
def test_holidays_that_are_no_dates_are_refused(wrong: Any) -> None:
    assert "holidays must be dates such as 2026-12-25" in _refusal(holidays=wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"identifiers": "PSUT, NIK"},
        {"identifiers": 7},
        {"data_share_hosts": [7]},
        {"credential_proof": "perhaps"},
        {"credential_keep_days": "soon"},
    ],
)
def test_what_credentials_are_judged_by_is_checked_by_name(wrong: dict[str, Any]) -> None:
    assert next(iter(wrong)) in _refusal(**wrong)
