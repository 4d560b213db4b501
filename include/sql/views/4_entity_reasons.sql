drop view if exists feedback.entity_reasons;

-- Why names are one: each decision by which a name stands for the entity it is today, and each merge that led there.
-- key: kind, norm, decision_id
-- freshness: each run of resolve_entities
-- example: select norm, decided_by, evidence from feedback.entity_reasons where entity_id = 'e1' order by decided_at
create view feedback.entity_reasons as
with reasons as (
    select names.kind, names.norm, names.entity_id, names.decision_id, 'name' as reason
    from feedback.entity_names as names
    union all
    select entities.kind, events.norm, events.other_entity_id as entity_id, events.decision_id, 'merge' as reason
    from ops.entity_events as events
    inner join feedback.entities as entities on events.entity_id = entities.entity_id
    where events.event = 'merge' and entities.merged_into is not null
)

select
    reasons.kind, -- product, feature or company
    reasons.norm, -- the name as compared
    current_entities.current_entity_id as entity_id, -- the entity it is today
    current_entities.canonical_name, -- how we write that
    reasons.reason, -- name: why the name stands for its entity; merge: why two entities became one
    decisions.candidate, -- the name or entity it was compared with; NULL for a new one
    decisions.verdict, -- same, different or new
    decisions.decided_by, -- catalog, rule, local, llm or human
    decisions.score, -- 0 to 1, how likely the two are the same
    decisions.model, -- the model asked
    decisions.prompt_version, -- of the prompt that asked
    decisions.call_id, -- the paid call, in ops.llm_calls
    decisions.evidence, -- which alias, override or likeness
    decisions.decided_at, -- when, UTC
    reasons.decision_id -- in ops.entity_decisions
from reasons
inner join feedback.entities_current as current_entities on reasons.entity_id = current_entities.entity_id
inner join ops.entity_decisions as decisions on reasons.decision_id = decisions.decision_id;
