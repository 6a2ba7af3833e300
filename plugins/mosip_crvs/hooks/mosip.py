"""The ``mosip`` connection: a hook of the HTTP family for single calls, and what the bulk path needs of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.http.hooks.http import HttpHook

if TYPE_CHECKING:
    import requests

    from mosip_crvs.mosip.calls import SingleCalls
    from mosip_crvs.mosip.settings import MosipSettings
    from mosip_crvs.mosip.token import TokenSource
    from mosip_crvs.submission.sender import Tls


class MosipHook(HttpHook):
    """Talks to one country's MOSIP.

    The connection has the HTTP connection's fields and extras (``verify``, ``cert``, ``proxies``, ``timeout``,
    ``trust_env``). Its login and password are the Keycloak client, never basic authentication, and what it says about
    MOSIP in its extra is never sent as a header, as the plain HTTP hook would.

    :param mosip_conn_id: the Airflow connection.
    """

    conn_name_attr = "mosip_conn_id"
    default_conn_name = "mosip"
    conn_type = "mosip"
    hook_name = "MOSIP"

    def __init__(self, mosip_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(http_conn_id=mosip_conn_id, **kwargs)
        self.mosip_conn_id = mosip_conn_id

    @cached_property
    def address(self) -> str:
        """The base URL, which is known before the ids that provisioning brings."""
        self._set_base_url(self.get_connection(self.mosip_conn_id))
        return str(self.base_url).rstrip("/")

    @cached_property
    def settings(self) -> MosipSettings:
        """What the connection says about MOSIP."""
        from airflow.sdk.log import mask_secret

        from mosip_crvs.mosip.settings import from_extra

        connection = self.get_connection(self.mosip_conn_id)
        for name in ("client_secret_next", "partner_secret"):
            if secret := connection.extra_dejson.get(name):
                mask_secret(str(secret))
        return from_extra(self.address, connection.login or "", connection.password or "", connection.extra_dejson)

    @cached_property
    def calls(self) -> SingleCalls:
        """A client for single calls, over a session with the connection's TLS and proxies."""
        from mosip_crvs.mosip.calls import SingleCalls

        return SingleCalls(self.settings.base_url, self.get_conn(), min(self.settings.timeout, 30.0))

    @cached_property
    def tokens(self) -> TokenSource:
        """One token for all callers of this hook, refreshed before it expires."""
        return self._tokens_of(self.settings)

    @cached_property
    def partner_tokens(self) -> TokenSource | None:
        """Tokens of the credential partner, which may be the client itself; None when there is none to be had."""
        login = self.settings.partner_login
        if login is None:
            return None
        return self.tokens if login == self.settings else self._tokens_of(login)

    def _tokens_of(self, login: MosipSettings) -> TokenSource:
        from mosip_crvs.mosip.calls import SingleCalls
        from mosip_crvs.mosip.token import TokenSource, fetch_token

        iam = self.calls
        if login.token_base != login.base_url:
            iam = SingleCalls(login.token_base, self.get_conn(), min(login.timeout, 30.0))
        return TokenSource(lambda: fetch_token(iam, login))

    @cached_property
    def tls(self) -> Tls:
        """The connection's TLS and proxy for the bulk path."""
        import ssl
        from urllib.parse import urlsplit

        from mosip_crvs.submission.sender import Tls

        session = self.get_conn()
        verify: ssl.SSLContext | bool = bool(session.verify)
        if session.verify and (session.cert or isinstance(session.verify, str)):
            verify = ssl.create_default_context(cafile=session.verify if isinstance(session.verify, str) else None)
            if session.cert:
                verify.load_cert_chain(*([session.cert] if isinstance(session.cert, str) else session.cert))
        proxies = session.proxies or {}
        return Tls(verify, proxies.get(urlsplit(self.settings.base_url).scheme))

    def test_connection(self) -> tuple[bool, str]:
        """Get a token, and say what stood in the way if there was none."""
        from mosip_crvs.errors import MosipCrvsError

        try:
            self.tokens.get()
        except MosipCrvsError as problem:
            return False, str(problem)
        settings = self.settings
        return True, f"MOSIP gave a token to {settings.client_id}, centre and machine {settings.registrar.ref_id}"

    def _configure_session_from_auth(self, session: requests.Session, connection: Any) -> requests.Session:
        session.auth = None
        return session

    def _configure_session_from_extra(
        self, session: requests.Session, connection: Any, extra_options: dict[str, Any]
    ) -> requests.Session:
        from mosip_crvs.mosip.settings import EXTRA_FIELDS

        before = dict(session.headers)
        session = super()._configure_session_from_extra(session, connection, extra_options)
        for name in EXTRA_FIELDS - set(before):
            session.headers.pop(name, None)
        return session
