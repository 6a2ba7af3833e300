"""The few calls that are made one at a time: over one ``requests`` session, with one way to fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy

import requests

from mosip_crvs.errors import MosipUnavailable


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer.

    :param headers: with lower-case names.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class SingleCalls:
    """Sends single requests below one base URL.

    :param session: carries TLS, proxies and certificates; from :class:`mosip_crvs.hooks.mosip.MosipHook` in Airflow.
    :param timeout: seconds for one call.
    """

    def __init__(self, base_url: str, session: requests.Session | None = None, timeout: float = 30.0) -> None:
        self.base_url = base_url.rstrip("/")
        self._session = session or requests.Session()
        # A cookie that some server set would take the place of the token, which travels as a cookie, too.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._timeout = timeout

    def send(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        token: str | None = None,
        bearer: str | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """Send one request and read its answer whole.

        :param form: sent form-encoded; :param body: sent as JSON.
        :param token: presented as the cookie ``Authorization``, the only way most of MOSIP looks at.
        :param bearer: presented as a bearer token, as Keycloak's admin API and eSignet want it.
        :param timeout: seconds for this call, when they are not those of all.
        :raises MosipUnavailable: when no answer came. It names the path, never what was sent.
        """
        headers = {"Cookie": f"Authorization={token}"} if token else {}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            reply = self._session.request(
                method,
                self.base_url + path,
                data=dict(form) if form is not None else body,
                headers=headers,
                timeout=self._timeout if timeout is None else timeout,
                auth=no_auth,
                allow_redirects=False,  # a redirect would carry secrets elsewhere, and turns a POST into a GET
            )
        except requests.RequestException as problem:
            raise MosipUnavailable(f"{method} {path}: no answer ({type(problem).__name__})") from None
        return Reply(reply.status_code, {name.lower(): value for name, value in reply.headers.items()}, reply.content)

    def close(self) -> None:
        """Close the session."""
        self._session.close()


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep ``requests`` from adding basic authentication of the connection or of a netrc file."""
    return request
