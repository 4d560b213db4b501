"""The Play Developer API and its token service on loopback: seven days of reviews, pages by token, a quota."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.plugins.feedback.sources.stand_ins import Clock, StandIn, says

EMAIL = "reader@project.iam.gserviceaccount.com"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""Whatever the ``token_uri`` of a key, Google's client signs for this one."""
SCOPE = "https://www.googleapis.com/auth/androidpublisher"


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def private_key() -> str:
    """The key of the account, as Google's JSON has it."""
    return _key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class GooglePlayStandIn(StandIn):
    """:ivar apps: the reviews by package and id, as tests write them.
    :ivar token_faults: answers of the token service, used up in turn.
    """

    def __init__(self, server: HTTPServer, clock: Clock):
        super().__init__(clock)
        server.expect_request(re.compile(r"/androidpublisher/.*")).respond_with_handler(self.handle)
        server.expect_request("/token", method="POST").respond_with_handler(self._grant)
        self.base_url = f"http://127.0.0.1:{server.port}"
        self.apps: dict[str, dict[str, dict[str, Any]]] = {}
        self.token_faults: list[Response] = []
        self.tokens: set[str] = set()
        self.granted = 0
        self.calls_left = 200

    @property
    def account(self) -> dict[str, str]:
        """The JSON key of the service account."""
        return {
            "type": "service_account",
            "client_email": EMAIL,
            "private_key_id": "1",
            "private_key": private_key(),
            "token_uri": f"{self.base_url}/token",
        }

    def write(self, app: str, review_id: str, at: datetime | None = None, **more: Any) -> None:
        """Write or edit a review, now or then."""
        first = {"rating": 3, "title": "", "body": f"words of {review_id}", "reply": None, "author": "Bo"}
        known = self.apps.setdefault(app, {}).get(review_id, first)
        self.apps[app][review_id] = known | more | {"at": at or self.clock.now}

    @property
    def truth(self) -> set[tuple[Any, ...]]:
        """What exists, served or not."""
        return {
            (app, review_id, one["rating"], one["title"] or None, one["body"], one["reply"])
            for app, reviews in self.apps.items()
            for review_id, one in reviews.items()
        }

    def _page(self, request: Request) -> int:
        return int(request.args.get("token", "p-0").removeprefix("p-")) // 100 + 1

    def _grant(self, request: Request) -> Response:
        if self.token_faults:
            return self.token_faults.pop(0)
        claims = jwt.decode(request.form["assertion"], _key().public_key(), algorithms=["RS256"], audience=AUDIENCE)
        assert (claims["iss"], claims["scope"]) == (EMAIL, SCOPE)
        self.granted += 1
        token = f"ya29.{self.granted}"
        self.tokens.add(token)
        return says({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    def answer(self, request: Request) -> Response:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return refusal(401, "authError", "UNAUTHENTICATED")
        assert "translationLanguage" not in request.args
        self.calls_left -= 1
        if self.calls_left < 0:
            return refusal(403, "quotaExceeded", "PERMISSION_DENIED")
        package = request.path.split("/")[4]
        if package not in self.apps:
            return refusal(404, "applicationNotFound", "NOT_FOUND")
        return says(self._reviews(package, request))

    def _reviews(self, package: str, request: Request) -> dict[str, Any]:
        start, size = (self._page(request) - 1) * 100, int(request.args["maxResults"])
        since = self.clock.now - timedelta(days=7)
        served = [(key, one) for key, one in self.apps[package].items() if one["at"] >= since]
        served.sort(key=lambda item: (item[1]["at"], item[0]), reverse=True)
        page = served[start : start + size]
        body: dict[str, Any] = {"reviews": [_review(key, one) for key, one in page]} if page else {}
        if start + size < len(served):
            body["tokenPagination"] = {"nextPageToken": f"p-{start + size}"}
        return body


def refusal(status: int, reason: str, word: str) -> Response:
    """Say no, as Google does."""
    return says({"error": {"code": status, "message": "m", "errors": [{"reason": reason}], "status": word}}, status)


def no_token(error: str = "invalid_grant") -> Response:
    """Say of the token service that it does not know the account."""
    return says({"error": error, "error_description": "not a valid email or user ID"}, 400)


def _review(review_id: str, one: dict[str, Any]) -> dict[str, Any]:
    said = {
        "text": f"{one['title']}\t{one['body']}",
        "lastModified": _moment(one["at"]),
        "starRating": one["rating"],
        "reviewerLanguage": "en_GB",
        "appVersionCode": 412,
        **one.get("said", {}),
    }
    comments: list[dict[str, Any]] = [{"userComment": said}]
    if one["reply"]:
        comments.append({"developerComment": {"text": one["reply"], "lastModified": _moment(one["replied_at"])}})
    author = {"authorName": one["author"]} if one["author"] else {}
    return {"reviewId": review_id, **author, "comments": comments}


def _moment(at: datetime) -> dict[str, Any]:
    seconds = at.replace(tzinfo=UTC)
    return {"seconds": str(int(seconds.timestamp())), "nanos": seconds.microsecond * 1000 + 123}
