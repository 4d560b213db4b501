-- What sources remember in parts, and what an API showed no more.

alter table ops.source_state add column if not exists part varchar;

-- Raw rows that a clean walk of their source did not meet: deleted there, unless a person says otherwise.
-- key: target, row_key
-- freshness: each run of extract_feedback by an API
create table if not exists staging.gone (
    source varchar not null, -- which source walked
    target varchar not null, -- the raw table
    row_key varchar not null, -- its key there, joined by |
    item_id varchar not null, -- the item it belongs to
    is_kept boolean not null, -- a person has said that it stays
    case_id varchar, -- in ops.cases; NULL where nobody is asked
    run_id varchar not null, -- the run that missed it
    missed_at timestamp_ntz not null -- when, UTC
);
