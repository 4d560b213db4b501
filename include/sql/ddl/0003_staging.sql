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
    reason varchar -- why it is quarantined or pending; never customer or model text
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
