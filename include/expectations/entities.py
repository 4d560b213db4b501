"""What must hold of names and the entities they stand for."""

from feedback.validation.rule import Rule, Severity
from feedback.validation.subject import Subject, Table

MISRESOLVED = (
    "A fault of the resolver: compare with ops.entity_decisions by decision_id, mend it, run resolve_entities again."
)
DANGLING = "An id points nowhere: an entity was left out of staging or removed; mend it, run resolve_entities again."
UNRESOLVED = "Mentions have no entity: see which kinds in feedback.mentions, add names to the catalog."

UNEXPLAINED = "An id changed and no event says why: a fault of the resolver; nothing was published, mend it, run again."
CHURNING = (
    "Many names would change their entity, and no person said so: see staging.entity_events, then accept or drop the"
    " case."
)
TWO_OF_A_NAME = "Two entities of a kind go by one name: merge them in include/entities, or rename one in the catalog."

KNOWN_IDS = "select entity_id from staged_entities union select entity_id from feedback.entities"

CURRENT = """
    (
        select kind, canonical_name, count(distinct entity_id) as times from (
            select entity_id, kind, canonical_name, merged_into from staged_entities
            union all
            select entity_id, kind, canonical_name, merged_into from feedback.entities
            where entity_id not in (select entity_id from staged_entities)
        ) as every where merged_into is null group by kind, canonical_name
    ) as called
"""
REDIRECTED = """
    select entity_id, decision_id from staged_entity_events where event in ('merge', 'split')
    union all
    select before.entity_id, why.decision_id from feedback.entities as before
    join staged_entities as mine on mine.entity_id = before.entity_id
    join staged_entities as root on root.entity_id = before.merged_into and root.merged_into = mine.merged_into
    join staged_entity_events as why on why.entity_id = root.entity_id and why.event = 'merge'
"""
"""Why an entity is a redirect elsewhere or none any more: its own event, or that of the one it follows."""
MOVED = f"""
    select p.kind, p.norm, count(why.event_id) > 0 as is_explained,
        min(case when how.decided_by = 'human' then 1 else 0 end) = 1 as is_ordered
    from feedback.entity_names as p
    join staged as s on s.kind = p.kind and s.norm = p.norm
    left join staged_entity_events as why
        on why.norm = p.norm and why.entity_id = s.entity_id and why.event = 'attach'
    left join staged_entity_decisions as how on how.decision_id = s.decision_id
    where s.entity_id <> p.entity_id
    group by p.kind, p.norm, s.entity_id
    union all
    select p.kind, p.norm, count(why.entity_id) > 0 as is_explained,
        min(case when how.decided_by = 'human' then 1 else 0 end) = 1 as is_ordered
    from feedback.entity_names as p
    join feedback.entities as before on before.entity_id = p.entity_id
    join staged_entities as s on s.entity_id = p.entity_id
    left join ({REDIRECTED}) as why on why.entity_id = s.entity_id
    left join staged_entity_decisions as how on how.decision_id = why.decision_id
    where s.merged_into is distinct from before.merged_into
    group by p.kind, p.norm
"""
"""Published names that would stand for another entity than they do; whether a person has ordered it."""
CHURN = f"""
    (
        select p.norm, moved.norm is not null as is_moved from feedback.entity_names as p
        left join (select distinct kind, norm from ({MOVED}) as every where not is_ordered) as moved
            on moved.kind = p.kind and moved.norm = p.norm
    ) as settled
"""
"""What a person has ordered has been decided on: the gate does not ask for a second word on it."""


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
        _count_rule("current_name_unique", "times > 1", CURRENT, TWO_OF_A_NAME),
        _count_rule("ids_explained", "not is_explained", f"({MOVED}) as moved", UNEXPLAINED),
        _count_rule("churn_bounded", "is_moved", CHURN, CHURNING, bound="greatest(20, 0.02 * n)"),
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
