-- The staged twin of each published table: what a run proposes, before its suite has judged it.

create schema if not exists staging;

-- Items that a run proposes.
-- key: as its twin, with run_id
-- freshness: while a run is at work; emptied of a run when it is published
create transient table if not exists staging.items as
select
    twin.*,
    cast(null as varchar) as shard, -- which part of the run wrote it; a part replaces only itself
    cast(null as boolean) as has_personal_data -- an address, phone or card number stands in the text
from feedback.items as twin where 1 = 0;

-- Rows of feedback.sentiment that a run proposes.
-- key: as its twin, with run_id
-- freshness: while a run is at work; emptied of a run when it is published
create transient table if not exists staging.sentiment as
select
    twin.*,
    cast(null as varchar) as shard, -- which part of the run wrote it; a part replaces only itself
    cast(null as boolean) as is_grounded, -- the quote occurs in the text that was asked
    cast(null as boolean) as has_personal_data -- an address, phone or card number stands in what would be published
from feedback.sentiment as twin where 1 = 0;

-- Rows of feedback.intent that a run proposes.
-- key: as its twin, with run_id
-- freshness: while a run is at work; emptied of a run when it is published
create transient table if not exists staging.intent as
select
    twin.*,
    cast(null as varchar) as shard, -- which part of the run wrote it; a part replaces only itself
    cast(null as boolean) as is_grounded, -- the quote occurs in the text that was asked
    cast(null as boolean) as has_personal_data -- an address, phone or card number stands in what would be published
from feedback.intent as twin where 1 = 0;

-- Rows of feedback.area that a run proposes.
-- key: as its twin, with run_id
-- freshness: while a run is at work; emptied of a run when it is published
create transient table if not exists staging.area as
select
    twin.*,
    cast(null as varchar) as shard, -- which part of the run wrote it; a part replaces only itself
    cast(null as boolean) as is_grounded, -- the quote occurs in the text that was asked
    cast(null as boolean) as has_personal_data -- an address, phone or card number stands in what would be published
from feedback.area as twin where 1 = 0;

-- Rows of feedback.mentions that a run proposes.
-- key: as its twin, with run_id
-- freshness: while a run is at work; emptied of a run when it is published
create transient table if not exists staging.mentions as
select
    twin.*,
    cast(null as varchar) as shard, -- which part of the run wrote it; a part replaces only itself
    cast(null as boolean) as is_grounded, -- the quote occurs in the text that was asked
    cast(null as boolean) as has_personal_data -- an address, phone or card number stands in what would be published
from feedback.mentions as twin where 1 = 0;

-- Names that a run proposes to resolve.
-- key: as its twin, with run_id
-- freshness: while a run is at work; emptied of a run when it is published
create transient table if not exists staging.entity_names as
select
    twin.*,
    cast(null as varchar) as shard -- which part of the run wrote it
from feedback.entity_names as twin where 1 = 0;

-- Entities that a run proposes.
-- key: as its twin, with run_id
-- freshness: while a run is at work; emptied of a run when it is published
create transient table if not exists staging.entities as
select
    twin.*,
    cast(null as varchar) as shard -- which part of the run wrote it
from feedback.entities as twin where 1 = 0;

-- Decisions of ops.entity_decisions that a run proposes: they count once their names are published.
-- key: as its twin, with run_id
-- freshness: while a run is at work; emptied of a run when it is published
create transient table if not exists staging.entity_decisions (
    decision_id varchar not null, -- as its twin
    kind varchar not null, -- as its twin
    norm varchar not null, -- as its twin
    candidate varchar, -- as its twin
    verdict varchar not null, -- as its twin
    decided_by varchar not null, -- as its twin
    score double, -- as its twin
    model varchar, -- as its twin
    prompt_version varchar, -- as its twin
    call_id varchar, -- as its twin
    evidence varchar, -- as its twin
    run_id varchar not null, -- the run
    decided_at timestamp_ntz not null, -- as its twin
    shard varchar not null -- which part of the run wrote it
);

-- Events of ops.entity_events that a run proposes: they happen once their entities are published.
-- key: as its twin, with run_id
-- freshness: while a run is at work; emptied of a run when it is published
create transient table if not exists staging.entity_events (
    event_id varchar not null, -- as its twin
    entity_id varchar not null, -- as its twin
    event varchar not null, -- as its twin
    norm varchar, -- as its twin
    other_entity_id varchar, -- as its twin
    decision_id varchar, -- as its twin
    run_id varchar not null, -- the run
    created_at timestamp_ntz not null, -- as its twin
    shard varchar not null -- which part of the run wrote it
);

-- What a run set out to ask, and what became of each: the other half of the proof that every question ended exactly once.
-- key: run_id, enrichment, item_id
-- freshness: while a run is at work
create transient table if not exists staging.asked (
    run_id varchar not null, -- the run
    shard varchar not null, -- which part of the run wrote it
    enrichment varchar not null, -- sentiment, intent, area or mentions
    item_id varchar not null, -- in feedback.items
    content_hash varchar not null, -- of the text that is asked about
    prompt_version varchar not null, -- of the prompt that asks
    outcome varchar not null, -- staged, quarantined or pending
    rows_out integer not null, -- rows staged for it
    model varchar, -- the model that answered
    reason varchar, -- why it is quarantined or pending; never customer or model text
    asked_at timestamp_ntz -- when, UTC: of two answers to a question the later one counts
);

-- Rows a suite has set aside, until the publish moves them into ops.quarantine.
-- key: run_id, subject, row_key, rule
-- freshness: while a run is at work
create transient table if not exists staging.rejects (
    run_id varchar not null, -- the run
    subject varchar not null, -- items or the enrichment
    row_key varchar not null, -- key of the row inside its subject
    item_id varchar not null, -- the item it belongs to: all its rows of the subject are set aside
    rule varchar not null, -- the rule it broke
    severity varchar not null, -- critical or warning
    reason varchar not null, -- one line; never customer or model text
    content_hash varchar not null, -- of the text that was asked about
    prompt_version varchar not null -- of the prompt that asked; empty for items
);
