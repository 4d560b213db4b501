-- What people say about rows that were set aside, and what they see of them.

alter table ops.quarantine add column if not exists evidence variant;

-- A person's word on the rows of one item that a suite set aside.
-- key: decision_id
-- freshness: when a person decides
-- example: select author, decision, count(*) from ops.decisions group by author, decision
create table if not exists ops.decisions (
    decision_id varchar not null, -- minted once
    subject varchar not null, -- items or the enrichment
    item_id varchar not null, -- the item
    content_hash varchar not null, -- of the text that was asked about
    prompt_version varchar not null, -- of the prompt that asked; empty for items
    rules varchar not null, -- the rules that it broke, comma-separated
    decision varchar not null, -- released, dropped or ask_again
    answer varchar, -- the right labels a person gave with it, comma-separated
    author varchar not null, -- who decided
    decided_at timestamp_ntz not null -- when, UTC
);
