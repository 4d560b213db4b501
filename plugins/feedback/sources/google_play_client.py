"""The Play Developer API as we ask it: by Google's own client, page after page by token, within an app's quota."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from feedback.address import is_loopback, refuse_in_the_clear
from feedback.errors import ConnectionMissing, CredentialRefused
from feedback.sources.fields import inner
from feedback.sources.google_play_refusals import refusal, unknown
from feedback.sources.part_failed import PartFailed, Passing, patiently
from feedback.sources.web import clock_line, skew_s

GOOGLE = "https://androidpublisher.googleapis.com"
SCOPES = ("https://www.googleapis.com/auth/androidpublisher",)
MOST_CALLS = 190
"""Of an app in an hour; Google allows 200."""
PAGE_SIZE = 100
ANSWER_S = 60.0


class GooglePlayClient:
    """Reads reviews with a service account.

    :param account: its JSON key; the token is asked for at its ``token_uri``.
    :raises ConnectionMissing: the key is none.
    :raises SettingError: it would travel in the clear.
    """

    def __init__(
        self,
        conn_id: str,
        account: Mapping[str, Any],
        base_url: str = GOOGLE,
        allow_http: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ):
        from google_auth_httplib2 import AuthorizedHttp
        from googleapiclient.discovery import build

        self._who = f"connection {conn_id} at {base_url}"
        self._clock = clock
        self._sleep = sleep
        self._calls: Counter[str] = Counter()
        self._http = _http(is_loopback(base_url))
        credentials = _credentials(conn_id, account)
        self.email = str(credentials.service_account_email)
        for address in (base_url, str(account["token_uri"])):
            refuse_in_the_clear(conn_id, address, GOOGLE, allow_http)
        service = build(
            "androidpublisher",
            "v3",
            http=AuthorizedHttp(credentials, http=self._http),
            client_options={"api_endpoint": base_url},
            static_discovery=True,
            cache_discovery=False,
        )
        self._reviews = service.reviews()

    @property
    def clock_line(self) -> str:
        """How wrong our clock is, by Google's last answer; empty where it is right."""
        return clock_line(self._who, skew_s(self._http.answered, self._clock()))

    def pages(self, package: str, size: int = PAGE_SIZE) -> Iterator[list[Any]]:
        """Yield the reviews of the last week, the latest edited first. A translation is never asked for.

        :raises PartFailed: the app cannot be read now.
        :raises CredentialRefused: the account is refused.
        """
        token: str | None = None
        while True:
            body = patiently(partial(self._page, package, size, token), self._sleep)
            reviews = body.get("reviews", [])  # where there are none, there is no such field
            if not isinstance(reviews, list):
                raise PartFailed("broken_answer", f"{self._who} answered with no list of reviews; try again later")
            yield reviews
            token = inner(body, "tokenPagination", "nextPageToken")
            if not token:
                return

    def _page(self, package: str, size: int, token: str | None) -> Mapping[str, Any]:
        import http.client

        import httplib2
        from google.auth.exceptions import RefreshError, TransportError
        from googleapiclient.errors import HttpError

        if self._calls[package] >= MOST_CALLS:
            detail = (
                f"{self._who}: {package} has had {MOST_CALLS} calls, and Google allows 200 an hour; try again later"
            )
            raise PartFailed("calls_used_up", detail)
        self._calls[package] += 1
        try:
            body = self._reviews.list(packageName=package, maxResults=size, token=token).execute()
        except HttpError as error:
            raise refusal(error, self._who, self.email, package) from None
        except RefreshError as error:
            if error.retryable:
                raise Passing("unreachable", f"{self._who}: its token_uri is in trouble; try again later") from None
            raise CredentialRefused(f"{unknown(error, self._who, self.email)} {self.clock_line}".rstrip()) from None
        except (TransportError, httplib2.HttpLib2Error, http.client.HTTPException, OSError) as error:
            detail = f"{self._who}: no answer ({type(error).__name__}); try again later"
            raise Passing("unreachable", detail) from None
        if not isinstance(body, dict):
            raise Passing("broken_answer", f"{self._who} answered what is no JSON; try again later")
        return body


def _credentials(conn_id: str, account: Mapping[str, Any]) -> Any:
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2.service_account import Credentials

    try:
        if not account.get("client_email"):
            raise ValueError
        return Credentials.from_service_account_info(account, scopes=SCOPES)
    except (ValueError, TypeError, GoogleAuthError):
        raise ConnectionMissing(
            f"connection {conn_id}: keyfile_dict in its extra is no key of a service account: paste the JSON file"
            " that Google Cloud gave"
        ) from None


def _http(is_loopback: bool) -> Any:
    """Google's transport, that goes nowhere else and keeps what the last answer said of itself."""
    import httplib2

    class Http(httplib2.Http):
        answered: Mapping[str, str] = {}

        def request(self, *args: Any, **kwargs: Any) -> Any:
            response, content = super().request(*args, **kwargs)
            self.answered = {"Date": response.get("date", "")}
            return response, content

    http = Http(timeout=ANSWER_S, **({"proxy_info": None} if is_loopback else {}))  # no proxy can reach our loopback
    http.follow_redirects = False
    return http
