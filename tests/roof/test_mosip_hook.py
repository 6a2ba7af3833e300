"""The ``mosip`` connection becomes a client: TLS and proxies as any HTTP hook, and nothing of itself on the wire."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from receiver_calls import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mosip_crvs.errors import StopTheRun
from mosip_crvs.hooks.mosip import MosipHook

SECRET = "the-clients-secret-Xq7"
EXTRA = {"center_id": "10001", "machine_id": "10077", "officer_id": "officer-9", "receiver_url": "http://receiver:8085"}


@dataclass
class FarSide:
    """Gives tokens and writes down what it was sent."""

    address: str = ""
    status: int = 200
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def token(self, request: Request) -> JSONResponse:
        """Answer Keycloak's token call."""
        self.requests.append((dict(request.headers), await request.body()))
        return JSONResponse({"access_token": "a-token-value", "expires_in": 300}, status_code=self.status)


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    """A far side on a free port."""
    far = FarSide()
    app = Starlette(routes=[Route("/auth/realms/mosip/protocol/openid-connect/token", far.token, methods=["POST"])])
    with serving(app) as far.address:
        yield far


@pytest.fixture
def connected(connect: Any, far_side: FarSide) -> FarSide:
    """A far side that the connection ``mosip`` leads to."""
    connect("mosip", conn_type="mosip", host=far_side.address, login="crvs-client", password=SECRET, extra=EXTRA)
    return far_side


def test_the_settings_are_what_the_connection_says_and_mosips_defaults_else(connect: Any) -> None:
    connect(
        "mosip",
        conn_type="mosip",
        host="https://mosip.example",
        login="client",
        password=SECRET,
        extra={**EXTRA, "concurrency": "12", "events_per_second": 2.5, "verify": False, "realm": "", "source": None},
    )
    settings = MosipHook().settings

    assert settings.base_url == "https://mosip.example"
    assert (settings.client_id, settings.client_secret) == ("client", SECRET)
    assert (settings.center_id, settings.machine_id, settings.officer_id) == ("10001", "10077", "officer-9")
    assert (settings.concurrency, settings.events_per_second) == (12, 2.5)
    assert (settings.realm, settings.source, settings.hub_path) == ("mosip", "CRVS1", "/hub/")
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("fields", "base"),
    [
        ({"host": "mosip.example", "schema": "https"}, "https://mosip.example"),
        ({"host": "mosip.example", "schema": "https", "port": 8443}, "https://mosip.example:8443"),
        ({"host": "mosip.example"}, "http://mosip.example"),
        ({"host": "https://mosip.example/"}, "https://mosip.example"),
        ({"host": "https://mosip.example/below"}, "https://mosip.example/below"),
    ],
)
def test_the_address_may_be_written_as_for_any_http_connection(connect: Any, fields: dict[str, Any], base: str) -> None:
    connect("mosip", conn_type="mosip", login="c", password="s", extra=EXTRA, **fields)

    assert MosipHook().settings.base_url == base


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"extra": {}}, "center_id, machine_id"),
        ({"extra": {**EXTRA, "center_id": "123"}}, "center_id"),
        ({"extra": {**EXTRA, "concurrency": "many"}}, "concurrency"),
        ({"extra": {**EXTRA, "login_via": "thin air"}}, "login_via"),
        ({"login": ""}, "login"),
        ({"password": ""}, "password"),
    ],
)
def test_a_connection_that_lacks_something_is_told_what(connect: Any, change: dict[str, Any], named: str) -> None:
    fields = {"conn_type": "mosip", "host": "http://x", "login": "c", "password": SECRET, "extra": EXTRA} | change
    connect("mosip", **fields)

    with pytest.raises(StopTheRun, match=named) as refused:
        _ = MosipHook().settings
    assert SECRET not in str(refused.value)


def test_another_connection_can_be_named(connect: Any) -> None:
    connect("other_mosip", conn_type="mosip", host="http://other", login="c", password="s", extra=EXTRA)

    assert MosipHook("other_mosip").settings.base_url == "http://other"


def test_nothing_of_the_connection_is_on_the_wire_but_what_mosip_asks_for(connected: FarSide) -> None:
    hook = MosipHook()
    assert hook.tokens.get() == "a-token-value"
    hook.calls.send("POST", "/auth/realms/mosip/protocol/openid-connect/token", body=b"{}", token="a-token-value")

    (first, form), (second, _) = connected.requests
    assert form == f"grant_type=client_credentials&client_id=crvs-client&client_secret={SECRET}".encode()
    assert second["cookie"] == "Authorization=a-token-value"
    usual = {
        "host",
        "user-agent",
        "accept-encoding",
        "accept",
        "connection",
        "content-length",
        "content-type",
        "cookie",
    }
    for headers in (first, second):
        assert set(headers) <= usual
        assert SECRET not in repr(headers)
        for value in EXTRA.values():
            assert value not in repr(headers)


def test_the_plain_http_hook_would_have_sent_them(connected: FarSide) -> None:
    """The test above can fail: this is what it guards against."""
    from airflow.providers.http.hooks.http import HttpHook

    session = HttpHook(http_conn_id="mosip").get_conn()
    session.post(f"{connected.address}/auth/realms/mosip/protocol/openid-connect/token")

    ((headers, _),) = connected.requests
    assert headers["authorization"].startswith("Basic ")
    assert headers["officer_id"] == "officer-9"


def test_a_netrc_file_does_not_add_a_password(
    connected: FarSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password something\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    MosipHook().tokens.get()

    assert "authorization" not in connected.requests[0][0]


def test_one_token_serves_all_callers_of_a_hook(connected: FarSide) -> None:
    hook = MosipHook()
    assert {hook.tokens.get() for _ in range(5)} == {"a-token-value"}

    assert len(connected.requests) == 1


def test_the_partner_enters_by_its_own_name(connect: Any, far_side: FarSide) -> None:
    extra = {**EXTRA, "partner_id": "crvs1", "partner_secret": "the-partners-Zk4"}
    connect("mosip", conn_type="mosip", host=far_side.address, login="crvs-client", password=SECRET, extra=extra)
    hook = MosipHook()

    assert hook.partner_tokens is not None
    assert hook.partner_tokens is not hook.tokens
    hook.partner_tokens.get()

    ((headers, form),) = far_side.requests
    assert form == b"grant_type=client_credentials&client_id=crvs1&client_secret=the-partners-Zk4"
    assert "the-partners" not in repr(headers)
    assert "crvs1" not in repr(headers)


def test_a_client_that_is_the_partner_enters_once_and_without_a_secret_the_partner_does_not(
    connect: Any, far_side: FarSide
) -> None:
    fields = {"conn_type": "mosip", "host": far_side.address, "login": "crvs-client", "password": SECRET}
    connect("mosip", **fields, extra={**EXTRA, "partner_id": "crvs-client"})
    hook = MosipHook()
    assert hook.partner_tokens is hook.tokens

    connect("mosip", **fields, extra={**EXTRA, "partner_id": "crvs1"})
    assert MosipHook().partner_tokens is None


def test_tokens_come_from_keycloaks_own_address_where_it_has_one(connect: Any, far_side: FarSide) -> None:
    extra = {**EXTRA, "keycloak_url": far_side.address}
    connect("mosip", conn_type="mosip", host="http://127.0.0.1:1", login="client", password=SECRET, extra=extra)

    assert MosipHook().tokens.get() == "a-token-value"
    assert len(far_side.requests) == 1


def test_a_good_connection_says_who_it_is(connected: FarSide) -> None:
    works, said = MosipHook().test_connection()

    assert works is True
    assert "crvs-client" in said
    assert "10001_10077" in said
    assert SECRET not in said
    assert "a-token-value" not in said


@pytest.mark.parametrize(("status", "says"), [(401, "secret"), (503, "503")])
def test_a_refused_connection_says_why_and_not_the_secret(connected: FarSide, status: int, says: str) -> None:
    connected.status = status
    works, said = MosipHook().test_connection()

    assert works is False
    assert says in said
    assert SECRET not in said


def test_a_connection_to_nowhere_says_so(connect: Any) -> None:
    connect("mosip", conn_type="mosip", host="http://127.0.0.1:9", login="c", password=SECRET, extra=EXTRA)
    works, said = MosipHook().test_connection()

    assert works is False
    assert "no answer" in said
    assert SECRET not in said


def test_a_connection_that_lacks_something_fails_its_test_in_words(connect: Any) -> None:
    connect("mosip", conn_type="mosip", host="http://x", login="c", password=SECRET)
    works, said = MosipHook().test_connection()

    assert works is False
    assert "center_id" in said


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def tls_of(connect: Any, host: str = "https://mosip.example", **extra: Any) -> Any:
    connect("mosip", conn_type="mosip", host=host, login="c", password="s", extra={**EXTRA, **extra})
    return MosipHook().tls


def test_by_default_certificates_are_verified_and_there_is_no_proxy(connect: Any) -> None:
    tls = tls_of(connect)

    assert tls.verify is True
    assert tls.proxy is None


def test_verification_can_be_switched_off(connect: Any) -> None:
    assert tls_of(connect, verify=False).verify is False


def test_an_authority_of_the_countrys_own_is_trusted_and_no_other(connect: Any, certificate: Path) -> None:
    context = tls_of(connect, verify=str(certificate)).verify

    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname is True
    assert [trusted["serialNumber"] for trusted in context.get_ca_certs()] == ["07"]


@pytest.mark.parametrize("pair", [True, False])
def test_a_client_certificate_is_loaded(connect: Any, certificate: Path, pair: bool) -> None:
    own = [str(certificate), str(certificate)] if pair else str(certificate)
    context = tls_of(connect, cert=own).verify

    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_client_certificate_that_is_not_there_is_an_error(connect: Any) -> None:
    with pytest.raises(OSError, match="No such file"):
        tls_of(connect, cert="/there/is/no/such.pem")


@pytest.mark.parametrize("host", ["http://mosip.example", "https://mosip.example"])
def test_the_proxy_of_the_addresss_scheme_is_taken(connect: Any, host: str) -> None:
    tls = tls_of(connect, host, proxies={"http": "http://plain:1", "https": "http://secure:2"})

    assert tls.proxy == ("http://secure:2" if host.startswith("https") else "http://plain:1")
