"""App Store Connect as we ask it: signed, slowly, page after page by link, with calls left for others.

Apple counts the calls of a key by the hour and says how many are left; besides, callers report refusals while
thousands are left, so that one of us asks at a time.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from feedback.errors import CredentialRefused
from feedback.sources.app_store_key import Key
from feedback.sources.fields import inner
from feedback.sources.part_failed import PartFailed
from feedback.sources.web import Answer, Web, clock_line, skew_s

APPLE = "https://api.appstoreconnect.apple.com"
PACE_S = 0.25
RESERVE = 0.1
"""Share of the hour's calls that is left to whoever else uses the key."""
PAGE_SIZE = 200

Params = Mapping[str, str | int]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Page:
    """Some reviews of an app as they came, the answers to them by id, and the link to more.

    :param total: how many the app has in all, where the store says.
    """

    reviews: list[Any]
    responses: Mapping[str, Any]
    total: int | None
    following: str | None


class AppStoreClient:
    """Reads reviews with a key.

    :raises ConnectionMissing: the key is none.
    """

    def __init__(
        self,
        key: Key,
        base_url: str = APPLE,
        sleep: Callable[[float], None] = time.sleep,
    ):
        key.renew()
        self.key = key
        self.calls_left: int | None = None
        self.skew_s = 0.0
        self._reserve = 0.0
        self._who = f"connection {key.conn_id} at {base_url}"
        self._web = Web(self._who, base_url, PACE_S, key.authorization, key.clock, sleep)

    def pages(self, app_id: str, limit: int = PAGE_SIZE) -> Iterator[Page]:
        """Yield the reviews of an app, the newest first.

        :raises PartFailed: the app cannot be read now.
        :raises CredentialRefused: the key is refused.
        """
        address: str | None = f"/v1/apps/{app_id}/customerReviews"
        params: Params | None = {"sort": "-createdDate", "limit": limit, "include": "response"}
        while address:
            page = _page(self._good(self._get(address, params), app_id), self._who)
            yield page
            address, params = page.following, None

    def _get(self, address: str, params: Params | None) -> Answer:
        if self.calls_left is not None and self.calls_left <= self._reserve:
            raise PartFailed(
                "calls_used_up",
                f"{self._who} has {self.calls_left} calls left in this hour, which stay for others: the next run goes"
                " on",
            )
        answer = self._asked(address, params)
        if answer.status != 401:
            return answer
        if self.clock_line:  # sign by theirs: a token of another time is refused like a false one
            self.key.offset_s = self.skew_s
            log.warning("%s", self.clock_line)
        self.key.renew()
        return self._asked(address, params)

    def _asked(self, address: str, params: Params | None) -> Answer:
        answer = self._web.get(address, params)
        self.skew_s = skew_s(answer.headers, self.key.clock())
        if limits := re.search(r"lim:(\d+);.*rem:(\d+)", answer.headers.get("X-Rate-Limit", "")):
            self._reserve, self.calls_left = int(limits[1]) * RESERVE, int(limits[2])
        return answer

    @property
    def clock_line(self) -> str:
        """How wrong our clock is; empty where it is right."""
        return clock_line(self._who, self.skew_s)

    def _good(self, answer: Answer, app_id: str) -> Mapping[str, Any]:
        status, code = answer.status, _code(answer.body)
        if status == 200 and isinstance(answer.body, dict):
            return answer.body
        if status == 401:
            raise CredentialRefused(
                f"{self._who} refused its key (HTTP 401{code}): correct login (key id), password (.p8) and issuer_id,"
                " or make a new key if it was revoked" + (f"; {self.clock_line}" if self.clock_line else "")
            )
        if status == 403:
            raise PartFailed(
                "forbidden",
                f"the key of {self._who} may not read the reviews of app {app_id} (HTTP 403{code}): give it the role"
                " Customer Support",
            )
        if status == 404:
            raise PartFailed(
                "not_found",
                f"{self._who} knows no app {app_id} (HTTP 404): correct FEEDBACK_APP_STORE_APPS, or use a key of its"
                " team",
            )
        raise PartFailed("refused", f"{self._who} refused to list the reviews of app {app_id} (HTTP {status}{code})")


def _page(body: Mapping[str, Any], who: str) -> Page:
    reviews, included = body.get("data"), body.get("included") or []
    if not isinstance(reviews, list) or not isinstance(included, list):
        raise PartFailed("broken_answer", f"{who} answered with no list of reviews; try again later")
    responses = {one["id"]: one for one in included if isinstance(one, dict) and isinstance(one.get("id"), str)}
    total, following = inner(body, "meta", "paging", "total"), inner(body, "links", "next")
    return Page(
        reviews,
        responses,
        total if isinstance(total, int) else None,
        following if isinstance(following, str) else None,
    )


def _code(body: Any) -> str:
    """The service's own word for a refusal; its sentences might repeat what we sent."""
    errors = inner(body, "errors")
    code = inner(errors[0], "code") if isinstance(errors, list) and errors else None
    return f" {code}" if isinstance(code, str) and re.fullmatch(r"[A-Z_.]{1,60}", code) else ""
