"""The operator that makes items of raw threads, reviews and texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from feedback.model import Counts, Item, Run
from feedback.operators.feedback_operator import FeedbackOperator
from feedback.sources import owed_items
from feedback.sources.reviews import review_item
from feedback.sources.texts import text_item
from feedback.sources.threads import Workspace, thread_item
from feedback.text.redaction import has_personal_data
from feedback.warehouse.merge import stage

if TYPE_CHECKING:
    from airflow.sdk import Context

# What a gate set aside, or what waits for a person's word, is not proposed again until its text moves.
SET_ASIDE = """
    select row_key as item_id, content_hash from ops.quarantine
    where subject = 'items' and status in ('open', 'dropped')
    union
    select staged.item_id, staged.content_hash from staging.items as staged
    join ops.cases as cases on cases.run_id = staged.run_id and cases.subject = 'items'
    where cases.state in ('open', 'accepted', 'dropped') and staged.run_id <> ?
"""

WORKSPACES = "select state from ops.source_state where part = 'workspace'"


class ItemsOperator(FeedbackOperator):
    """Stage one item for each thread, review and text that is new or has changed, its text masked.

    What is owed is found by an anti-join of raw and published rows, so a run that was lost is made up for.

    :param salt: returns the secret of the author hashes; asked when it is needed.
    :param phone_region: country whose way of writing telephone numbers counts; else each review's own.
    :param slack_domain: first part of <domain>.slack.com; as the API says if None, and where nobody says it, threads
        have no permalink.
    :param bot_channels: Slack channels, by id or name, whose bots speak for customers.
    :param hosts: where the links of texts may lead.
    """

    def __init__(
        self,
        *,
        salt: Callable[[], bytes],
        phone_region: str | None = None,
        slack_domain: str | None = None,
        bot_channels: Collection[str] = (),
        hosts: Sequence[str] = (),
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.salt = salt
        self.phone_region = phone_region
        self.slack_domain = slack_domain
        self.bot_channels = bot_channels
        self.hosts = hosts

    def work(self, run: Run, context: Context) -> Counts:
        set_aside = {(row["item_id"], row["content_hash"]) for row in self.warehouse.rows(SET_ASIDE, (run.run_id,))}
        staged = 0
        for shard, items in self._shards():
            rows = [_row(item, run) for item in items if (item.item_id, item.content_hash) not in set_aside]
            if rows:
                staged += stage(self.warehouse, "items", rows, run, shard)
                self.log.info("%s: %s items staged, %s so far", shard, len(rows), staged)
        return Counts({"staged": staged})

    def _shards(self) -> Iterator[tuple[str, list[Item]]]:
        domain, team = self._domain()
        threads = owed_items.threads(self.warehouse, domain, bool(self.bot_channels), team)
        for number, shard in enumerate(threads):
            workspace = self._workspace(domain, team)
            built = (
                thread_item(rows, workspace, keep_empty=rows[0]["is_published"], text=rows[0]["published_text"])
                for rows in shard
            )
            yield f"slack-{number}", [item for item in built if item]
        for number, reviews in enumerate(owed_items.reviews(self.warehouse)):
            salt = self.salt()
            yield f"reviews-{number}", [review_item(row, salt, self.phone_region) for row in reviews]
        for number, texts in enumerate(owed_items.texts(self.warehouse, self.hosts)):
            salt = self.salt()
            yield f"texts-{number}", [text_item(row, salt, self.phone_region, self.hosts) for row in texts]

    def _domain(self) -> tuple[str | None, str | None]:
        """The domain, and the workspace whose it is: none where a person says it."""
        if self.slack_domain:
            return self.slack_domain, None
        said = (json.loads(row["state"]) for row in self.warehouse.rows(WORKSPACES))
        return next(((state["domain"], state["team"]) for state in said), (None, None))

    def _workspace(self, domain: str | None, team: str | None) -> Workspace:
        channels = self.warehouse.rows("select id, name, is_private from raw.slack_channels order by name")
        users = self.warehouse.rows("select id, is_team from raw.slack_users where is_team is not null")
        return Workspace(
            salt=self.salt(),
            phone_region=self.phone_region,
            domain=domain,
            team=team,
            bot_channels=frozenset(self.bot_channels),
            channel_names={row["id"]: row["name"] for row in channels if row["name"]},
            private_channels=frozenset(row["id"] for row in channels if row["is_private"]),
            team_users=frozenset(row["id"] for row in users if row["is_team"]),
            outsiders=frozenset(row["id"] for row in users if not row["is_team"]),
        )


def _row(item: Item, run: Run) -> dict[str, Any]:
    """The staged row; publishing keeps the first run of an item that is published already."""
    return vars(item) | {"has_personal_data": has_personal_data(item.text), "first_run_id": run.run_id}
