"""App Store Connect on loopback: it checks every token by its own clock and pages by offset, so that pages shift."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.plugins.feedback.sources.stand_ins import Clock, StandIn, says

PACIFIC = timezone(timedelta(hours=-8))
MOST = 20
"""Reviews on a page, whatever is asked for: a page takes no longer than it must."""
KEY_ID, ISSUER = "KEYID12345", "57246542-96fe-1a63-e053-0824d011072a"


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def pem() -> str:
    """The key as Apple's ``.p8`` file has it."""
    return _key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class AppStoreStandIn(StandIn):
    """:ivar apps: the reviews by app and id, as tests write them.
    :ivar before_page: called before a page is served, with its number: what happens while somebody walks.
    """

    def __init__(self, server: HTTPServer, clock: Clock):
        super().__init__(clock)
        server.expect_request(re.compile(r"/v1/apps/.*")).respond_with_handler(self.handle)
        self.base_url = f"http://127.0.0.1:{server.port}"
        self.apps: dict[str, dict[str, dict[str, Any]]] = {}
        self.tokens: list[str] = []
        self.calls_left = 3500
        self.before_page: Callable[[int], None] = lambda page: None
        self.is_revoked = False

    def write(self, app: str, review_id: str, at: datetime | None = None, **more: Any) -> None:
        """Write or edit a review."""
        first = {"rating": 3, "title": "A title", "body": f"words of {review_id}", "reply": None, "replied_at": None}
        known = self.apps.setdefault(app, {}).get(review_id, {**first, "at": at or self.clock.now})
        self.apps[app][review_id] = known | more | ({"at": at} if at else {})

    @property
    def truth(self) -> set[tuple[Any, ...]]:
        """What exists."""
        return {
            (app, review_id, one["rating"], one["title"], one["body"], one["reply"])
            for app, reviews in self.apps.items()
            for review_id, one in reviews.items()
        }

    def _page(self, request: Request) -> int:
        return int(request.args.get("cursor", 0)) // MOST + 1

    def answer(self, request: Request) -> Response:
        self.calls_left -= 1
        limits = {"X_Rate_Limit": f"user-hour-lim:3500;user-hour-rem:{self.calls_left};"}
        if refusal := self._refusal(request.headers.get("Authorization", "")):
            return says({"errors": [{"status": "401", "code": "NOT_AUTHORIZED", "detail": refusal}]}, 401, **limits)
        self.before_page(self._page(request))
        app = request.path.split("/")[3]
        if app not in self.apps:
            return says({"errors": [{"status": "404", "code": "NOT_FOUND"}]}, 404, **limits)
        return says(self._reviews(app, request), **limits)

    def _refusal(self, header: str) -> str:
        """Judge a token as Apple does: by this clock, and for at most twenty minutes."""
        token = header.removeprefix("Bearer ")
        self.tokens.append(token)
        try:
            claims = jwt.decode(
                token,
                _key().public_key(),
                algorithms=["ES256"],
                audience="appstoreconnect-v1",
                issuer=ISSUER,
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "iss"]},
            )
        except jwt.PyJWTError as error:
            return type(error).__name__
        now = self.clock()
        if self.is_revoked or jwt.get_unverified_header(token)["kid"] != KEY_ID:
            return "unknown key"
        if not claims["iat"] <= now < claims["exp"] or claims["exp"] - claims["iat"] > 20 * 60:
            return "expired"
        return ""

    def _reviews(self, app: str, request: Request) -> dict[str, Any]:
        assert request.args["sort"] == "-createdDate"
        assert request.args["include"] == "response"
        start, limit = int(request.args.get("cursor", 0)), min(int(request.args["limit"]), MOST)
        ordered = sorted(self.apps[app].items(), key=lambda item: (item[1]["at"], item[0]), reverse=True)
        page = ordered[start : start + limit]
        links = {"self": request.url}
        if start + limit < len(ordered):
            query = f"cursor={start + limit}&limit={limit}&sort=-createdDate&include=response"
            links["next"] = f"{self.base_url}{request.path}?{query}"
        return {
            "data": [_review(review_id, one) for review_id, one in page],
            "included": [_response(review_id, one) for review_id, one in page if one["reply"]],
            "links": links,
            "meta": {"paging": {"total": len(ordered), "limit": limit}},
        }


def _review(review_id: str, one: dict[str, Any]) -> dict[str, Any]:
    data = {"type": "customerReviewResponses", "id": f"r-{review_id}"} if one["reply"] else None
    attributes = {name: one[name] for name in ("rating", "title", "body")}
    attributes |= {"reviewerNickname": one.get("author", "Ada"), "territory": one.get("territory", "USA")}
    attributes["createdDate"] = _pacific(one["at"])
    return {
        "type": "customerReviews",
        "id": review_id,
        "attributes": attributes,
        "relationships": {"response": {"data": data, "links": {}}},
    }


def _response(review_id: str, one: dict[str, Any]) -> dict[str, Any]:
    attributes = {"responseBody": one["reply"], "state": "PUBLISHED", "lastModifiedDate": _pacific(one["replied_at"])}
    return {"type": "customerReviewResponses", "id": f"r-{review_id}", "attributes": attributes}


def _pacific(at: datetime) -> str:
    return at.replace(tzinfo=UTC).astimezone(PACIFIC).isoformat(timespec="seconds")
