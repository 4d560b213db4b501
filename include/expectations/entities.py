"""What must hold of names and the entities they stand for."""

from feedback.validation.rule import Rule, Severity
from feedback.validation.subject import Subject, Table

MISRESOLVED = (
    "A fault of the resolver: compare with ops.entity_decisions by decision_id, mend it, run resolve_entities again."
)
DANGLING = "An id points nowhere: an entity was left out of staging or removed; mend it, run resolve_entities again."
UNRESOLVED = "Mentions have no entity: see which kinds in feedback.mentions, add names to the catalog."

KNOWN_IDS = "select entity_id from staged_entities union select entity_id from feedback.entities"


def _row_rule(name: str, condition: str) -> Rule:
    return Rule(id=name, scope="row", severity="critical", owner="pipeline", runbook=MISRESOLVED, condition=condition)


def _count_rule(
    name: str, wrong: str, rows: str, runbook: str, severity: Severity = "critical", bound: str = "0"
) -> Rule:
    """Return a rule that at most so many rows of a query may be wrong."""
    return Rule(
        id=name,
        scope="run",
        severity=severity,
        owner="pipeline",
        runbook=runbook,
        condition="measured <= bound",
        measure=f"""
            select 'all' as slice, failed, failed as measured, {bound} as bound, n
            from (select coalesce(count_if({wrong}), 0) as failed, count(*) as n from {rows}) as counted""",
    )


ENTITIES_SUBJECT = Subject(
    name="entities",
    kind="entities",
    tables=(
        Table("entity_names", ("kind", "norm")),
        Table("entities", ("entity_id",)),
        Table("entity_decisions", ("decision_id",), schema="ops"),
        Table("entity_events", ("event_id",), schema="ops"),
    ),
    rules=(
        _row_rule("name_unique", "count(*) over (partition by kind, norm) = 1"),
        _row_rule("name_present", "kind <> '' and norm <> ''"),
        _row_rule("score_in_range", "score is null or score between 0 and 1"),
        _row_rule("decision_named", "decision_id is not null"),
        _count_rule(
            "entity_unique",
            "times > 1",
            "(select entity_id, count(*) as times from staged_entities group by entity_id) as e",
            MISRESOLVED,
        ),
        _count_rule(
            "entity_known",
            "e.entity_id is null",
            f"staged left join ({KNOWN_IDS}) as e on e.entity_id = staged.entity_id",
            DANGLING,
        ),
        _count_rule(
            "redirect_known",
            "s.merged_into is not null and e.entity_id is null or (s.status = 'merged') <> (s.merged_into is not null)",
            f"staged_entities as s left join ({KNOWN_IDS}) as e on e.entity_id = s.merged_into",
            DANGLING,
        ),
        _count_rule(
            "names_resolved",
            "staged.norm is null and p.norm is null",
            "(select distinct kind, norm from feedback.mentions) as m"
            " left join staged on staged.kind = m.kind and staged.norm = m.norm"
            " left join feedback.entity_names as p on p.kind = m.kind and p.norm = m.norm",
            UNRESOLVED,
            severity="warning",
            bound="0.05 * n",
        ),
    ),
)
