-- Mode batch: what is out at a Batch API, written down before it is sent, so that no crash pays for it twice.

-- One batch of requests at a Batch API.
-- key: intent_id
-- freshness: while enrich_feedback asks in mode batch
-- example: select batch_id, status, request_count, submitted_at from ops.llm_batches where ended_at is null
create table if not exists ops.llm_batches (
    intent_id varchar not null, -- minted before anything is sent; the service keeps it with the batch, which is found by it
    dag_id varchar not null, -- the Dag that pays
    task_id varchar not null, -- the task that pays
    run_id varchar not null, -- the run that sent it
    base_url varchar not null, -- the service
    model varchar not null, -- the model asked
    fingerprint varchar not null, -- sha256 of the file of requests
    status varchar not null, -- intent, submitted; at its end landed, expired, cancelled, failed, lost or dropped (never sent)
    reason varchar, -- why the service refused it: a code
    file_id varchar, -- the file of requests at the service
    batch_id varchar, -- the batch at the service
    request_count integer not null, -- requests in it
    row_count integer not null, -- rows in them
    input_tokens integer not null, -- about how many tokens it sends
    left_out integer not null, -- rows of its run that the budget did not admit
    reserved_usd double not null, -- the most it can cost
    created_at timestamp_ntz not null, -- when the intent was written down, UTC
    submitted_at timestamp_ntz, -- when the service took it, UTC
    ended_at timestamp_ntz -- when its answers were in the ledger, UTC
);

-- Which rows stand in which request of a batch, until a run has staged their answers: hashes, never words.
-- key: call_id, row_no
-- freshness: while enrich_feedback asks in mode batch
-- example: select outcome, count(*) from ops.llm_batch_rows group by outcome
create table if not exists ops.llm_batch_rows (
    intent_id varchar not null, -- in ops.llm_batches
    call_id varchar not null, -- the request, in ops.llm_calls
    row_no integer not null, -- place of the row in its request
    content_hash varchar not null, -- of the text that was asked about, as in feedback.items
    enrichments varchar not null, -- the questions asked, comma-separated
    asked_as varchar not null, -- hash of the instructions and the form of the answer: only what was asked so can be read so
    outcome varchar -- of the request: answered, or why it was not; NULL while it is out
);
