drop view if exists feedback.entities_current;

-- The entity that each entity ever published is today: merges are followed to their end.
-- key: entity_id
-- freshness: each run of resolve_entities
-- example: select canonical_name, count(*) from feedback.entities_current where status = 'active' group by canonical_name
create view feedback.entities_current as
with recursive followed as (
    select entities.entity_id, entities.entity_id as current_entity_id, entities.merged_into, 0 as hops
    from feedback.entities
    union all
    select followed.entity_id, target.entity_id as current_entity_id, target.merged_into, followed.hops + 1 as hops
    from followed
    inner join feedback.entities as target on followed.merged_into = target.entity_id
    where followed.hops < 20 -- a circle must not spin for ever
),

ended as (
    select entity_id, current_entity_id
    from followed
    qualify row_number() over (partition by entity_id order by hops desc) = 1
)

select
    ended.entity_id, -- an id as it was published
    ended.current_entity_id, -- the entity it is today
    entities.kind, -- product, feature or company
    entities.canonical_name, -- how we write it today
    entities.is_competitor, -- a flag of the catalog
    entities.status, -- active or split
    entities.created_at -- when today's entity was minted, UTC
from ended
inner join feedback.entities as entities on ended.current_entity_id = entities.entity_id;
