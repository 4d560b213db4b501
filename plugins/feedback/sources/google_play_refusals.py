"""What Google says no with, in our words: wait, mend the connection, or mend the app's name or rights."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from feedback.errors import CredentialRefused, FeedbackError
from feedback.sources.fields import inner
from feedback.sources.part_failed import PartFailed, Passing

if TYPE_CHECKING:
    from google.auth.exceptions import RefreshError
    from googleapiclient.errors import HttpError

THROTTLED = ("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded")
SWITCHED_OFF = ("accessNotConfigured", "SERVICE_DISABLED")


def refusal(error: HttpError, who: str, email: str, package: str) -> FeedbackError:
    """Return what an answer that is none means for the app, or for the connection as a whole."""
    status, reason = int(error.resp.status), _reason(error.content)
    what = f"HTTP {status} {reason}".rstrip()
    if status == 429 or reason in THROTTLED:
        wait = error.resp.get("retry-after", "")
        detail = f"{who} asks us to slow down ({what}); try again later"
        return Passing("throttled", detail, float(wait) if wait.isdecimal() else None)
    if status >= 500:
        return Passing("unreachable", f"{who} is in trouble ({what}); try again later")
    if status == 401:
        return CredentialRefused(f"{who} refused the service account {email} ({what}): make a new key")
    if reason in SWITCHED_OFF:
        return CredentialRefused(f"{who} ({what}): switch on the Google Play Android Developer API in its project")
    if status == 403:
        mend = "invite it to the app in Play Console, with the right to reply to reviews"
        return PartFailed("forbidden", f"{who}: {email} may not read the reviews of {package} ({what}): {mend}")
    if status == 404:
        mend = "correct FEEDBACK_GOOGLE_PLAY_APPS"
        return PartFailed("not_found", f"{who} knows no app {package} ({what}): {mend}")
    return PartFailed("refused", f"{who} refused to list the reviews of {package} ({what})")


def unknown(error: RefreshError, who: str, email: str) -> str:
    """Return that the token's service does not know the account, in one line."""
    code = _word(inner(error.args[1], "error")) if len(error.args) > 1 else ""
    return f"{who} refused the service account {email} ({code or 'no token'}): enable it, or make a new key"


def _reason(content: bytes) -> str:
    """Google's word for a refusal, by the older custom or the newer."""
    try:
        error = json.loads(content)["error"]
        reasons = [inner(one, "reason") for one in (*error.get("errors", ()), *error.get("details", ()))]
        return next((word for one in (*reasons, error.get("status")) if (word := _word(one))), "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _word(said: object) -> str:
    return said if isinstance(said, str) and re.fullmatch(r"[A-Za-z_]{1,60}", said) else ""
