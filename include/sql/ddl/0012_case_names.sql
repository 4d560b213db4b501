-- What a case about names shows to a person.

-- A name that a case is about: one of a group too large to be true, or of two entities that a model calls the same.
-- key: case_id, kind, norm
-- freshness: each run of resolve_entities
-- example: select case_id, kind, count(*) from ops.case_names group by case_id, kind
create table if not exists ops.case_names (
    case_id varchar not null, -- in ops.cases, whose subject is `names of <kind>`
    kind varchar not null, -- product, feature or company
    norm varchar not null -- the name as compared
);
