"""`make run` with a digest channel: Slack being away fails nothing, and each digest is posted once when it is back."""

from __future__ import annotations

import json

import pytest

from tests.integration.company import Home
from tests.plugins.feedback.notifications.slack_channel import served

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def slack(base_url):
    connection = {"conn_type": "slack", "password": "xoxb-s3cret", "extra": {"base_url": base_url}}
    return {"FEEDBACK_DIGEST_CHANNEL": "C1", "AIRFLOW_CONN_SLACK_API_DEFAULT": json.dumps(connection)}


def test_digests_wait_for_slack_and_are_posted_once(tmp_path):
    home = Home(tmp_path / "home")
    away = home.run(**slack("http://127.0.0.1:9/api/"))
    assert away.status == 4
    [line] = [line for line in away.err.splitlines() if "Slack" in line]
    assert line.startswith("not posted to Slack yet, the next run tries again, see `make doctor`: digest:")
    with served() as channel:
        back = home.run(**slack(channel.base_url))
        again = home.run(**slack(channel.base_url))
    assert (back.status, back.err, again.status) == (0, "", 0)
    files = [json.loads(file.read_text()) for file in (home.data / "digest").glob("*.json")]
    assert sorted(message["text"] for message in channel.messages) == sorted(body["text"] for body in files)
    assert {status for (status,) in home.rows("select distinct status from ops.posts")} <= {"posted", "quiet"}
    log = (home.path / "logs" / "run.log").read_text()
    assert "xoxb" not in log
