import pytest

from feedback.errors import InputRefused
from feedback.model import Run, utc_now
from feedback.operators.resolve_operator import ResolveOperator
from feedback.operators.validate_operator import ValidateOperator
from feedback.resolution.kind import EntityKind
from feedback.resolution.normalise import mention_id, norm
from feedback.validation.publication import publish
from feedback.warehouse.merge import append
from include.expectations.entities import ENTITIES_SUBJECT

KINDS = (EntityKind("feature"), EntityKind("company", may_compete=True))
STAGED = ("entity_names", "entities", "entity_decisions", "entity_events")


@pytest.fixture
def resolve(warehouse, run, tmp_path):
    catalog = tmp_path / "catalog.yaml"

    def resolve(known="", run=run):
        catalog.write_text(known)
        operator = ResolveOperator(task_id="resolve", kinds=KINDS, catalog=catalog, warehouse=warehouse)
        return operator.work(run, {}).numbers

    return resolve


@pytest.fixture
def mention(warehouse):
    def mention(item_id, surface, kind="company"):
        row = {
            "item_id": item_id,
            "mention_id": mention_id(item_id, kind, norm(surface)),
            "kind": kind,
            "surface": surface,
            "norm": norm(surface),
            "content_hash": "c",
            "prompt_version": "p",
            "decided_by": "llm",
            "is_stale": False,
            "run_id": "run_0",
            "engine_version": "0",
            "answered_at": utc_now(),
        }
        append(warehouse, "feedback.mentions", [row])

    return mention


def pass_the_gate(warehouse, run):
    """Publish as the Dag does: nothing is published that no gate let pass."""
    ValidateOperator(task_id="validate", subject=ENTITIES_SUBJECT, warehouse=warehouse).work(run, {})
    publish(warehouse, ENTITIES_SUBJECT, run.run_id)


def staged(warehouse, table):
    return warehouse.rows(f"select * from staging.{table} order by 1, 2, 3")


def test_stages_names_and_entities_with_the_decision_and_the_events(resolve, mention, warehouse, run):
    mention("i1", "SFDC")
    mention("i2", "Acme Inc")

    counts = resolve("- {name: Salesforce, kind: company, is_competitor: true, aliases: [SFDC]}")

    assert {name: number for name, number in counts.items() if number} == {"create_events": 2, "attach_events": 2}
    assert [(row["norm"], row["score"], row["run_id"]) for row in staged(warehouse, "entity_names")] == [
        ("acme", None, run.run_id),
        ("sfdc", 1.0, run.run_id),
    ]
    assert {(row["canonical_name"], row["is_competitor"]) for row in staged(warehouse, "entities")} == {
        ("Acme Inc", False),
        ("Salesforce", True),
    }
    decisions = {row["decision_id"]: row["decided_by"] for row in staged(warehouse, "entity_decisions")}
    assert {decisions[row["decision_id"]] for row in staged(warehouse, "entity_names")} == {"rule", "catalog"}
    assert len(staged(warehouse, "entity_events")) == 4


def test_publishes_nothing_itself(resolve, mention, warehouse):
    mention("i1", "Acme")
    resolve()

    for table in ("feedback.entity_names", "feedback.entities", "ops.entity_decisions", "ops.entity_events"):
        assert warehouse.rows(f"select * from {table}") == []


def test_a_second_attempt_replaces_what_the_first_staged(resolve, mention, warehouse):
    mention("i1", "Acme")
    resolve()
    first = [staged(warehouse, table) for table in STAGED[:1]]
    resolve()

    assert [staged(warehouse, table) for table in STAGED[:1]] == first
    assert [len(staged(warehouse, table)) for table in STAGED] == [1, 1, 1, 2]


def test_nothing_new_stages_nothing(resolve, mention, warehouse, run):
    mention("i1", "Acme")
    mention("i2", "SFDC")
    known = "- {name: Salesforce, kind: company, aliases: [SFDC]}"
    resolve(known)
    pass_the_gate(warehouse, run)

    counts = resolve(known, run=Run("run_2", "a_dag", "a_task"))

    assert set(counts.values()) == {0}
    assert [staged(warehouse, table) for table in STAGED] == [[], [], [], []]


def test_a_blocked_batch_is_proposed_again_by_the_next_run(resolve, mention, warehouse):
    mention("i1", "Acme")
    resolve()
    resolve(run=Run("run_2", "a_dag", "a_task"))

    assert [row["run_id"] for row in staged(warehouse, "entity_names")] == ["run_1", "run_2"]
    assert len({row["entity_id"] for row in staged(warehouse, "entity_names")}) == 1


def test_an_alias_added_later_stages_only_the_redirect_and_its_target(resolve, mention, warehouse, run):
    mention("i1", "SFDC")
    resolve()
    pass_the_gate(warehouse, run)

    resolve("- {name: Salesforce, kind: company, aliases: [SFDC]}", run=Run("run_2", "a_dag", "a_task"))

    assert staged(warehouse, "entity_names") == []
    assert sorted((row["status"], row["canonical_name"]) for row in staged(warehouse, "entities")) == [
        ("active", "Salesforce"),
        ("merged", "SFDC"),
    ]


def test_a_kind_that_nobody_resolves_is_left_alone(resolve, mention, warehouse):
    mention("i1", "Acme", kind="person")
    resolve()

    assert staged(warehouse, "entity_names") == []


def test_a_wrong_catalog_stages_nothing(resolve, mention, warehouse):
    mention("i1", "Acme")

    with pytest.raises(InputRefused, match=r"catalog\.yaml line 1: kind 'competitor'"):
        resolve("- {name: Acme, kind: competitor}")

    assert staged(warehouse, "entity_names") == []


def test_an_entity_is_called_as_most_people_write_it_now_and_stays_the_same(resolve, mention, warehouse, run):
    mention("i1", "acme")
    resolve()
    pass_the_gate(warehouse, run)
    [before] = warehouse.rows("select entity_id, created_at from feedback.entities")
    mention("i2", "ACME")
    mention("i3", "ACME")
    second = Run("run_2", "a_dag", "a_task")

    counts = resolve(run=second)
    pass_the_gate(warehouse, second)

    assert {name: number for name, number in counts.items() if number} == {"rename_events": 1}
    [after] = warehouse.rows("select entity_id, created_at, canonical_name from feedback.entities")
    assert after == before | {"canonical_name": "ACME"}


def test_what_was_settled_of_a_kind_that_is_gone_stays_as_it_is(mention, warehouse, run, tmp_path):
    (tmp_path / "catalog.yaml").touch()

    def resolve(kinds, run):
        operator = ResolveOperator(task_id="r", kinds=kinds, catalog=tmp_path / "catalog.yaml", warehouse=warehouse)
        return operator.work(run, {}).numbers

    mention("i1", "offline mode", kind="feature")
    mention("i2", "Acme")
    resolve(KINDS, run)
    pass_the_gate(warehouse, run)
    before = warehouse.rows("select * from feedback.entities order by entity_id")
    mention("i3", "Offline Mode", kind="feature")
    mention("i4", "Offline Mode", kind="feature")
    mention("i5", "offline maps", kind="feature")
    second = Run("run_2", "a_dag", "a_task")

    assert set(resolve(KINDS[1:], second).values()) == {0}
    pass_the_gate(warehouse, second)
    assert warehouse.rows("select * from feedback.entities order by entity_id") == before
    assert len(warehouse.rows("select * from feedback.entities_current where kind = 'feature'")) == 1
