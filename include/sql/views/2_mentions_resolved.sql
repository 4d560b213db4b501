drop view if exists feedback.mentions_resolved;

-- Each published mention with the entity that its name stands for today.
-- key: mention_id
-- freshness: each run of enrich_feedback and resolve_entities
-- example: select canonical_name, count(distinct item_id) from feedback.mentions_resolved group by canonical_name
create view feedback.mentions_resolved as
select
    mentions.mention_id, -- in feedback.mentions
    mentions.item_id, -- in feedback.items
    mentions.kind, -- product, feature or company
    mentions.surface, -- the name as written
    mentions.norm, -- the name as compared
    mentions.quote, -- the words around it
    mentions.is_stale, -- the text has changed since
    current_entities.current_entity_id as entity_id, -- the entity it is today; NULL where the name is not resolved yet
    current_entities.canonical_name, -- how we write it
    current_entities.is_competitor, -- a flag of the catalog
    names.score -- 0 to 1, how sure the decision was
from feedback.mentions as mentions
left join feedback.entity_names as names on mentions.kind = names.kind and mentions.norm = names.norm
left join feedback.entities_current as current_entities on names.entity_id = current_entities.entity_id;
