"""A home in which one author's words stand everywhere that words can: put there by the operators themselves."""

from __future__ import annotations

import json
from itertools import count

from feedback.digest.team import Focus, Team
from feedback.erasure.files import Places
from feedback.erasure.plan import carry_out, plan
from feedback.erasure.scope import Author
from feedback.llm.asking import Asking
from feedback.llm.ledger import answer_key
from feedback.llm.prices import Model
from feedback.model import Run, utc_now
from feedback.operators.digest_operator import DigestOperator
from feedback.operators.enrich_operator import EnrichOperator
from feedback.operators.extract_operator import ExtractOperator
from feedback.operators.items_operator import ItemsOperator
from feedback.operators.publish_operator import PublishOperator
from feedback.operators.report_operator import ReportOperator
from feedback.operators.resolve_operator import ResolveOperator
from feedback.sources.itunes_pages import ItunesPages
from feedback.sources.slack_export import SlackExport
from feedback.warehouse.merge import append
from include.enrichments import ENRICHMENTS
from include.entities import CATALOG, ENTITY_KINDS
from include.expectations import ANSWER_SUBJECTS
from include.expectations.entities import ENTITIES_SUBJECT
from include.expectations.items import ITEMS_SUBJECT
from include.llm import PRICES
from tests.plugins.feedback.llm import stand_in as service

SALT = b"salt"
ADA, BO = "U0ADA", "U0BO"
MARK, OTHER = "zanzibarquux", "kelpline"
"""A word of Ada's and a word of Bo's."""
SLACK, STORE = Author("slack", ADA), Author("itunes", "Ada L.")
ASKING = Asking(prices=(PRICES,), model="m", pack=3)
TEAMS = (Team("all", "All", (Focus(),), takes_rest=True),)


def said(user, text, ts, **more):
    return {"type": "message", "user": user, "text": text, "ts": ts, "team": "T1", **more}


def messages(edit=""):
    """Return what was said on one day; an edit makes Ada's last message another."""
    root = said(ADA, f"{MARK.title()} is slow{edit}. Write to ada@b.example", "1759312800.000001")
    if edit:
        root["edited"] = {"user": ADA, "ts": f"17594000{len(edit):02}.000000"}
    thread = {"thread_ts": root["ts"]}
    return [
        {**root, **thread, "reply_count": 2, "user_profile": {"real_name": f"Ada {MARK}"}},
        said(BO, f"Same for me with {OTHER}. <@{ADA}> thanks!", "1759312900.000001", **thread),
        said(BO, "Look here.", "1759312950.000001", **thread, subtype="thread_broadcast", root=root),
        said(ADA, f"{MARK} again. It crashes, number 7.", "1759313000.000001"),
        said(ADA, f"Where is {MARK}?", "1759313100.000001"),
        said(
            BO,
            f"{OTHER} shares this.",
            "1759313200.000001",
            attachments=[{"author_id": ADA, "text": f"{MARK} shared", "fallback": f"{MARK} shared"}],
        ),
        said(BO, f"{OTHER} is great. Nothing else.", "1759313300.000001"),
    ]


def review(number, author, text):
    label = {"author": {"name": author, "uri": "https://itunes.apple.com/us/reviews/id1"}, "im:rating": "1"}
    label |= {"im:version": "1", "id": str(number), "title": "", "content": text}
    return {
        name: {"label": value} if isinstance(value, str) else {key: {"label": inner} for key, inner in value.items()}
        for name, value in label.items()
    }


class World:
    """A home, and the operators that work in it."""

    def __init__(self, home, warehouse, stand_in):
        self.home, self.warehouse, self.stand_in = home, warehouse, stand_in
        self.numbers = count(1)
        self.run = Run("run_0", "a_dag", "a_task")

    def export(self, said, users=True):
        """Write an export outside the home and return it."""
        path = self.home.parent / f"export-{next(self.numbers)}"
        topic = {"topic": {"value": f"all about {MARK}", "creator": ADA}}
        files = {"channels.json": [{"id": "C1", "name": "general", **topic}], "general/2025-10-01.json": said}
        if users:
            files["users.json"] = [{"id": ADA, "name": MARK}, {"id": BO, "name": OTHER}]
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(json.dumps(content))
        return path

    def pages(self, *reviews):
        path = self.home.parent / f"us-{next(self.numbers)}-id1234567890.json"
        path.write_text(json.dumps({"feed": {"entry": list(reviews)}}))
        return path

    def work(self, operator, **arguments):
        task = operator(task_id="task", warehouse=self.warehouse, **arguments)
        return task.work(self.run, {})

    def extract(self, *sources):
        """Load sources and publish their items."""
        self.run = Run(f"run_{next(self.numbers)}", "a_dag", "a_task")
        for source in sources:
            self.work(ExtractOperator, source=source, salt=lambda: SALT)
        self.items()

    def propose(self):
        """Stage items and answers and stop there, as runs do whose gate blocks."""
        self.extract(SlackExport(self.export(messages(edit=" for ever"))))
        self.work(EnrichOperator, enrichments=ENRICHMENTS, asking=ASKING)
        last = SlackExport(self.export(messages(edit=" for ever and ever")))
        self.work(ExtractOperator, source=last, salt=lambda: SALT)
        self.work(ItemsOperator, salt=lambda: SALT)

    def items(self):
        self.run = Run(f"run_{next(self.numbers)}", "a_dag", "a_task")
        self.work(ItemsOperator, salt=lambda: SALT)
        self.publish(ITEMS_SUBJECT)

    def enrich(self):
        """Ask, publish and resolve."""
        self.run = Run(f"run_{next(self.numbers)}", "a_dag", "a_task")
        self.work(EnrichOperator, enrichments=ENRICHMENTS, asking=ASKING)
        for enrichment in ENRICHMENTS:
            self.publish(ANSWER_SUBJECTS[enrichment.name])
        self.work(ResolveOperator, kinds=ENTITY_KINDS, catalog=CATALOG)
        self.publish(ENTITIES_SUBJECT)

    def publish(self, subject):
        """Publish what no gate has looked at: its verdict is given, for Great Expectations takes seconds."""
        verdict = {"run_id": self.run.run_id, "subject": subject.name, "rule": "any", "slice": "all"}
        verdict |= {"severity": "critical", "outcome": "pass", "failed": 0, "total": 1, "decision": "publish"}
        append(self.warehouse, "ops.validations", [{**verdict, "checked_at": utc_now()}])
        self.work(PublishOperator, subject=subject)

    @property
    def places(self):
        home = self.home
        beside = (home / "backups", home / "journal")
        return Places(home / "report", home / "digest", home / "warehouse.duckdb", *beside)

    def plan(self, scope):
        return plan(self.warehouse, scope, ENRICHMENTS, self.places, self.run)

    def erase(self, *scopes):
        for scope in scopes:
            carry_out(self.warehouse, self.plan(scope), self.run, SALT)
        self.warehouse.compact()

    def tell(self):
        """Write digests and the report."""
        now = {"as_of": None, "uses_clock": False}
        digests = self.home / "digest"
        self.work(DigestOperator, teams=TEAMS, folder=digests, timezone="UTC", channels={"all": "C1"}, **now)
        report = {"folder": self.home / "report", "digest_folder": digests, "is_sample": False}
        self.work(ReportOperator, budget_usd=1.0, budget_usd_day=1.0, **report, **now)

    def items_by_text(self, word):
        return [
            row["item_id"]
            for row in self.warehouse.rows("select item_id, text from feedback.items order by 1")
            if word in row["text"].casefold()
        ]

    def tables_with(self, word):
        """Return the tables in which a word stands, in any letter case."""
        tables = self.warehouse.rows(
            "select table_schema || '.' || table_name as name from information_schema.tables order by 1"
        )
        return {
            row["name"] for row in tables if word in str(self.warehouse.rows(f"select * from {row['name']}")).casefold()
        }

    def files_with(self, word):
        """Return the files of the home in which a word stands, blocks of the warehouse that nobody reads among them."""
        files = [path for path in sorted(self.home.rglob("*")) if path.is_file()]
        return {path.relative_to(self.home).as_posix() for path in files if word.encode() in path.read_bytes().lower()}


def lived_in(home, warehouse, stand_in):
    """Return a world in which Ada's word stands in every table and file that may hold one."""
    world = World(home, warehouse, stand_in)
    stand_in.poison = {"number 7": service.content(lambda text: "no answer")}
    reviews = (review(1, "Ada L.", f"{MARK.title()} lost my notes"), review(2, "Bo B.", f"{OTHER} is fine"))
    world.extract(SlackExport(world.export(messages())), ItunesPages(world.pages(*reviews)))
    world.enrich()
    world.extract(SlackExport(world.export(messages(edit=" today"))))
    world.enrich()
    for item in world.items_by_text(MARK):
        golden = {"item_id": item, "enrichment": "mentions", "answer": [{"surface": MARK}], "author": "me"}
        append(warehouse, "ops.golden", [{**golden, "added_at": utc_now()}])
    world.tell()
    world.propose()
    warehouse.backup(home / "backups" / "warehouse-1.duckdb")
    warehouse.backup(home / "warehouse.duckdb.before-0009-x")
    _leave_journal(world)
    return world


def _leave_journal(world):
    """Leave what a killed task has paid another model for, about a text of Ada's."""
    (text, *_) = world.warehouse.rows("select content_hash from feedback.items where text like ?", (f"%{MARK}%",))
    (question, *_) = ENRICHMENTS
    key = answer_key(text["content_hash"], question, Model("another"))
    answer = [key, question.name, json.dumps({"quote": MARK}), "another"]
    call = {"co_asked": "one x1", "call_id": "killed", "answered_at": utc_now().isoformat()}
    (world.home / "journal").mkdir()
    (world.home / "journal" / "1.jsonl").write_text(json.dumps({"answers": [answer], **call}))
