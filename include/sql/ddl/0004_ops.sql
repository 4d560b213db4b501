-- What the pipeline knows about itself: the ledgers, the gate's verdicts, what waits for a person.

-- One load of one file or page into raw, written in the transaction that loaded it.
-- key: load_id
-- freshness: each run of extract_feedback
-- example: select source, sum(row_count) from ops.loads group by source
create table if not exists ops.loads (
    load_id varchar not null, -- hash of the source, the part and its content: the same content is loaded once
    source varchar not null, -- which source
    part varchar not null, -- file, page or slice
    target varchar not null, -- the raw table
    row_count integer not null, -- rows in the load
    run_id varchar not null, -- the run
    loaded_at timestamp_ntz not null -- when, UTC
);

-- What could not be read, or was not meant to be, and why.
-- key: source, part, reason
-- freshness: each run of extract_feedback
-- example: select source, part, reason from ops.coverage where status = 'refused'
create table if not exists ops.coverage (
    source varchar not null, -- which source
    part varchar not null, -- file, channel or page
    status varchar not null, -- skipped (on purpose), refused (bad input) or failed (may work later)
    reason varchar not null, -- a word: broken_json, private_channel, direct_messages, …
    detail varchar not null, -- one line a person can act on
    row_count integer, -- rows concerned, where known
    fingerprint varchar, -- hash of a refused file: the same content is not tried again
    first_run_id varchar not null, -- the run that first met it
    last_run_id varchar not null -- the run that last met it
);

-- What a source remembers between runs.
-- key: source, part
-- freshness: each run of extract_feedback
create table if not exists ops.source_state (
    source varchar not null, -- which source
    part varchar, -- which part of it: a channel, an app
    state variant, -- watermarks and identity, as the source writes them
    run_id varchar not null, -- the run that wrote it
    updated_at timestamp_ntz not null -- when, UTC
);

-- The ledger of Slack threads: which replies have been read.
-- key: team_id, channel_id, thread_ts
-- freshness: each run of extract_feedback by the Slack API
create table if not exists ops.slack_threads (
    team_id varchar not null, -- the workspace
    channel_id varchar not null, -- the channel
    thread_ts varchar not null, -- ts of the root
    reply_count integer not null, -- replies that Slack counted
    latest_reply varchar, -- ts of the newest reply read
    last_full_read_at timestamp_ntz -- when all replies were last read
);

-- What was deleted, by whom it was said, so that it never comes back.
-- key: subject, row_key
-- freshness: each run of extract_feedback
create table if not exists ops.tombstones (
    subject varchar not null, -- slack_message, review, text, author, or salt: by which authors are remembered
    row_key varchar not null, -- its key; a hash for an erased author, and for the salt
    reason varchar not null, -- deleted, erased or retention
    run_id varchar not null, -- the run
    created_at timestamp_ntz not null -- when, UTC
);

-- What one task of one run did, in numbers.
-- key: run_id, dag_id, task_id
-- freshness: each task
-- example: select dag_id, task_id, outcome, counts from ops.task_runs order by started_at desc
create table if not exists ops.task_runs (
    run_id varchar not null, -- the Dag run
    dag_id varchar not null, -- the Dag
    task_id varchar not null, -- the task
    outcome varchar not null, -- success, blocked, failed, or incomplete: another task of the run failed and has said why
    message varchar, -- one line about a failure
    counts variant not null, -- what it counted
    started_at timestamp_ntz not null, -- when it began, UTC
    finished_at timestamp_ntz not null -- when it ended, UTC
);

-- One question about one item, also when its answer is empty. What is owed is read from here.
-- key: item_id, enrichment
-- freshness: each run of enrich_feedback
-- example: select enrichment, status, count(*) from ops.answers group by enrichment, status
create table if not exists ops.answers (
    item_id varchar not null, -- in feedback.items
    enrichment varchar not null, -- sentiment, intent, area or mentions
    status varchar not null, -- answered, pending, quarantined or unasked
    content_hash varchar not null, -- of the text that was asked about
    prompt_version varchar not null, -- of the prompt that asked
    model varchar, -- the model that answered
    rows_out integer not null, -- rows published for it
    reason varchar, -- why it is not answered
    run_id varchar not null, -- the run that wrote this row
    answered_at timestamp_ntz -- when the answer was given, UTC
);

-- The answer ledger: one paid answer per question, whatever was asked beside it.
-- key: answer_key
-- freshness: while enrich_feedback asks
-- example: select enrichment, count(*) from ops.llm_answers group by enrichment
create table if not exists ops.llm_answers (
    answer_key varchar not null, -- sha256(masked text and rating, enrichment, prompt version, answer schema, model family)
    enrichment varchar not null, -- the question
    answer variant not null, -- the answer as it was accepted
    model varchar not null, -- the model that gave it
    co_asked varchar not null, -- which other questions and how many rows shared the request
    call_id varchar not null, -- the call that paid for it
    answered_at timestamp_ntz not null -- when, UTC
);

-- One HTTP attempt at a model: every cent.
-- key: call_id
-- freshness: while enrich_feedback asks
-- example: select cast(started_at as date) as day, sum(cost_usd) from ops.llm_calls group by 1 order by 1
create table if not exists ops.llm_calls (
    call_id varchar not null, -- one HTTP attempt
    purpose varchar not null, -- enrich, check (a row asked alone), resolve or golden
    dag_id varchar not null, -- the Dag that paid
    task_id varchar not null, -- the task that paid
    run_id varchar not null, -- the run that paid
    attempt integer not null, -- first, second, … attempt of the same request
    model varchar not null, -- the model asked
    mode varchar not null, -- online, flex, batch or offline
    batch_id varchar, -- of the Batch API
    prompt_versions variant not null, -- enrichment to prompt version, of what was asked
    row_count integer not null, -- rows in the request
    status varchar not null, -- intent, settled, failed or lost
    reserved_usd double not null, -- held before the call
    cost_usd double not null, -- paid after it; the reservation where its usage never came back
    input_tokens integer not null, -- as the service counted
    cached_tokens integer not null, -- of them read from the prompt cache
    cache_write_tokens integer not null, -- of them written to the prompt cache
    output_tokens integer not null, -- as the service counted
    reasoning_tokens integer not null, -- of them spent on thinking
    http_status integer, -- NULL where no answer came
    started_at timestamp_ntz not null, -- when it was sent, UTC
    finished_at timestamp_ntz -- when it was answered, UTC
);

-- Every decision that a name stands for an entity.
-- key: decision_id
-- freshness: each run of resolve_entities
create table if not exists ops.entity_decisions (
    decision_id varchar not null, -- minted once
    kind varchar not null, -- product, feature or company
    norm varchar not null, -- the name that was decided
    candidate varchar, -- the name or entity it was compared with; NULL for a new one
    verdict varchar not null, -- same, different or new
    decided_by varchar not null, -- catalog, rule, llm or human
    score double, -- 0 to 1
    model varchar, -- the model asked
    prompt_version varchar, -- of the prompt that asked
    call_id varchar, -- the paid call
    evidence varchar, -- which alias or rule
    run_id varchar not null, -- the run
    decided_at timestamp_ntz not null -- when, UTC
);

-- Every create, attach, merge, split and rename of an entity.
-- key: event_id
-- freshness: each run of resolve_entities
create table if not exists ops.entity_events (
    event_id varchar not null, -- minted once
    entity_id varchar not null, -- in feedback.entities
    event varchar not null, -- create, attach, merge, split or rename
    norm varchar, -- the name concerned
    other_entity_id varchar, -- the other side of a merge or split
    decision_id varchar, -- why
    run_id varchar not null, -- the run
    created_at timestamp_ntz not null -- when, UTC
);

-- What people decided about names; it survives every run.
-- key: override_id
-- freshness: when a person writes one
create table if not exists ops.entity_overrides (
    override_id varchar not null, -- minted by the person or tool
    kind varchar not null, -- product, feature or company
    norm varchar not null, -- the name
    other_norm varchar not null, -- the other name
    verdict varchar not null, -- must_link or cannot_link
    author varchar not null, -- who decided
    created_at timestamp_ntz not null -- when, UTC
);

-- Rows that a suite set aside. Not asked again until the text or prompt moves, or a person says so.
-- key: subject, row_key, rule, content_hash, prompt_version
-- freshness: each publish
-- example: select subject, rule, count(*) from ops.quarantine where status = 'open' group by subject, rule
create table if not exists ops.quarantine (
    subject varchar not null, -- items or the enrichment
    row_key varchar not null, -- key of the row inside its subject
    rule varchar not null, -- the rule it broke
    content_hash varchar not null, -- of the text that was asked about
    prompt_version varchar not null, -- of the prompt that asked; empty for items
    item_id varchar not null, -- the item
    severity varchar not null, -- critical or warning
    reason varchar not null, -- one line; never customer or model text
    status varchar not null, -- open, released, dropped or ask_again
    evidence variant, -- the item's rows as they were staged, JSON; NULL where it has none
    first_run_id varchar not null, -- the run that first set it aside
    last_run_id varchar not null -- the run that last did
);

-- The outcome of every rule in every run.
-- key: run_id, subject, rule, slice
-- freshness: each validation
-- example: select subject, rule, outcome, failed, total from ops.validations order by run_id desc
create table if not exists ops.validations (
    run_id varchar not null, -- the run
    subject varchar not null, -- items, entities or the enrichment
    rule varchar not null, -- the rule
    slice varchar not null, -- which part of the rows; `all` for all
    severity varchar not null, -- critical, warning or info
    outcome varchar not null, -- pass, fail, error or not_enough_history
    failed integer not null, -- rows that broke it
    total integer not null, -- rows it judged
    measured double, -- what was measured
    bound double, -- what it was held against
    decision varchar not null, -- of the whole subject in this run: publish or block
    checked_at timestamp_ntz not null -- when, UTC
);

-- A blocked batch that waits for a person.
-- key: case_id
-- freshness: when a gate blocks
create table if not exists ops.cases (
    case_id varchar not null, -- minted once
    subject varchar not null, -- items, entities or the enrichment
    run_id varchar not null, -- the blocked run
    rules varchar not null, -- the rules that blocked it, comma-separated
    state varchar not null, -- open, accepted, dropped or re_asked
    author varchar, -- who decided
    opened_at timestamp_ntz not null, -- when it was opened, UTC
    decided_at timestamp_ntz, -- when it was decided, UTC
    prompt_version varchar -- of names to be judged again: of the prompt there was then, whose answers hold
);

-- Something that needed a person: opened once, updated while it lasts.
-- key: incident_id
-- freshness: when something fails
create table if not exists ops.incidents (
    incident_id varchar not null, -- minted once
    key varchar not null, -- Dag, decision and failing rules: the same trouble is one incident
    state varchar not null, -- open or recovered
    first_run_id varchar not null, -- the run that opened it
    last_run_id varchar not null, -- the run that last met it
    count integer not null, -- how many runs met it
    channel varchar, -- where it was posted
    message_ts varchar, -- the post
    summary varchar not null, -- one sentence; never customer text
    message variant, -- what people are told about it; never customer text
    updated_at timestamp_ntz not null -- when, UTC
);

-- Posts that a digest or an incident owes or has made.
-- key: post_key
-- freshness: each digest
create table if not exists ops.posts (
    post_key varchar not null, -- kind, team and day, or the incident
    kind varchar not null, -- digest or incident
    channel varchar, -- the Slack channel; NULL where it is only written to a file
    thread_key varchar, -- the post in whose thread it stands
    attempt varchar, -- who is sending it
    taken_at timestamp_ntz, -- when somebody last set about sending it, UTC
    tried_at timestamp_ntz, -- when it was last sent, UTC: it may stand in the channel since then
    status varchar not null, -- planned, posting, posted, quiet, or ambiguous: sent, and nobody knows whether it arrived
    ts varchar, -- the post in Slack
    body variant, -- what a digest says that goes to Slack, without what was erased; NULL otherwise, and where nothing could be left
    body_sha varchar not null, -- sha256 of its body
    window_from timestamp_ntz, -- what a digest covers: after this
    window_to timestamp_ntz, -- what a digest covers: up to this
    run_id varchar not null, -- the run that wrote it
    updated_at timestamp_ntz not null -- when it was written, UTC
);

-- Right answers that people gave, to judge prompts and models by.
-- key: item_id, enrichment
-- freshness: when a person adds one
create table if not exists ops.golden (
    item_id varchar not null, -- in feedback.items
    enrichment varchar not null, -- sentiment, intent, area or mentions
    answer variant not null, -- the right answer
    author varchar not null, -- who says so
    added_at timestamp_ntz not null -- when, UTC
);

-- Rendered reports.
-- key: report_id
-- freshness: each run
create table if not exists ops.reports (
    report_id varchar not null, -- minted once
    run_id varchar not null, -- the run
    kind varchar not null, -- run
    body varchar not null, -- the page
    created_at timestamp_ntz not null -- when, UTC
);
