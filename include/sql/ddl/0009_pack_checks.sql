-- Rows that were asked beside others and once more alone: whether sharing a request changes answers.
-- key: enrichment, prompt_version, model, text_hash
-- freshness: while enrich_feedback asks
-- example: select enrichment, pack_rows, avg(agreement) from ops.pack_checks group by enrichment, pack_rows
create table if not exists ops.pack_checks (
    enrichment varchar not null, -- the question
    prompt_version varchar not null, -- of the prompt that asked
    model varchar not null, -- the model that answered both times
    text_hash varchar not null, -- of the text and rating that were asked about
    pack_rows integer not null, -- rows in the request that it shared
    agreement double not null, -- 1 for the same labels or names, 0 for none in common, between for lists
    call_id varchar not null, -- the call in ops.llm_calls that asked it alone
    run_id varchar not null, -- the run
    checked_at timestamp_ntz not null -- when, UTC
);
