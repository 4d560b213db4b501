"""``make erase``: somebody's words out of every table and file, so that no later load brings them back."""

from __future__ import annotations

import argparse
import json
import re
import uuid
from typing import TYPE_CHECKING

from include import settings
from include.cli.lock import run_lock
from include.settings import Settings
from include.warehouse import warehouse as open_warehouse

if TYPE_CHECKING:
    from feedback.erasure.plan import Plan
    from feedback.erasure.scope import Scope
    from feedback.warehouse.base import Warehouse

HELP = "remove an author's words, or one item, from every table and file; without --yes only say what would go"


def arguments(parser: argparse.ArgumentParser) -> None:
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--slack-user", metavar="ID", help="a user of Slack, such as U024BE7LH, in every workspace")
    who.add_argument("--author", metavar="SOURCE:NAME", help="a name in a store or source: everybody who shares it")
    who.add_argument("--author-hash", metavar="HASH", help="as feedback.items has it")
    who.add_argument("--item", metavar="ITEM_ID", help="one review or text, or one thread with all who spoke in it")
    parser.add_argument(
        "--yes", action="store_true", help="do it: stands for --yes-delete of every table that is listed without it"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")


def main(options: argparse.Namespace) -> int:
    from feedback.erasure.plan import carry_out, drop, plan
    from feedback.model import Run
    from feedback.sources.forgotten import forgotten
    from include.enrichments import ENRICHMENTS
    from include.erasure import places
    from include.sources import salt

    configured = settings.load()
    run = Run(run_id=f"command-line-{uuid.uuid4().hex[:8]}", dag_id="cli", task_id="erase")
    with run_lock(configured.home):
        warehouse = open_warehouse(configured)
        warehouse.migrate()
        forgotten(warehouse, lambda: salt(configured))  # one salt for all who are remembered
        scope = _scope(options, warehouse, configured)
        planned = plan(warehouse, scope, ENRICHMENTS, places(configured), run)
        if options.yes:
            carry_out(warehouse, planned, run, salt(configured) if scope.author else None)
            warehouse.compact()
        else:
            drop(warehouse, run)
    _tell(planned, configured, options)
    return 0


def _scope(options: argparse.Namespace, warehouse: Warehouse, configured: Settings) -> Scope:
    from feedback.erasure.scope import SLACK, Author, author_of, of_author, of_item
    from feedback.errors import SettingError
    from include.sources import salt

    if options.item:
        return of_item(options.item)
    if options.author_hash:
        return of_author(author_of(warehouse, salt(configured), options.author_hash))
    if options.slack_user:
        if not re.fullmatch("[A-Z][A-Z0-9]+", options.slack_user):
            raise SettingError("--slack-user takes an id such as U024BE7LH: see raw.slack_users.id")
        return of_author(Author(SLACK, options.slack_user))
    source, colon, name = options.author.partition(":")
    if not (source and colon and name):
        raise SettingError("--author takes a source and a name such as itunes:Ada: see raw.app_reviews and raw.texts")
    return of_author(Author(source, name))


def _tell(planned: Plan, configured: Settings, options: argparse.Namespace) -> None:
    left = [*_left(configured), *(f"a digest in Slack: {post}" for post in planned.posted)]
    if options.json:
        told = {
            "is_done": options.yes,
            "rows": planned.counts,
            "files": list(map(str, planned.files)),
            "left": left,
            "owed_to_slack": list(planned.owed),
        }
        print(json.dumps(told, indent=2))
        return
    print("erased:" if options.yes else "nothing has been touched; --yes removes for good, paid answers among it:")
    for table, n in planned.counts.items():
        print(f"  {table:30} {n:>9,} rows")
    for path in planned.files:
        print(f"  {path}")
    if not (planned.counts or planned.files):
        print("  nothing is stored")
    for post in planned.owed:
        print(f"  {post}: changed in Slack by the next triage_digest or make digest")
    if planned.scope.author:
        print("nothing more is loaded of this author" if options.yes else "and nothing more is loaded of this author")
    print("out of our reach, for a person to see to:")
    for line in left:
        print(f"  {line}")


def _left(configured: Settings) -> list[str]:
    """Name what holds the words and is not ours to change."""
    files = {
        "FEEDBACK_SLACK_EXPORT": configured.slack_export,
        "FEEDBACK_GOOGLE_PLAY_CSV": configured.google_play_csv,
        "FEEDBACK_ITUNES_PAGES": configured.itunes_pages,
    }
    return [
        "the source itself: Slack, the store, the table",
        *(f"{name}={path}" for name, path in files.items() if path),
        *(["Time Travel and Fail-safe: see docs/privacy.md"] if configured.engine == "snowflake" else []),
        "copies of the warehouse that lie elsewhere, and what the model's vendor keeps of the masked text",
    ]
