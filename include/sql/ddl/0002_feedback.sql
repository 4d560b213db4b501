-- What is published: only rows that passed their suite, only what is alive.

create schema if not exists feedback;

-- One thing a customer said: a Slack thread or a review.
-- key: item_id
-- freshness: each run of extract_feedback
-- example: select source, count(*) from feedback.items group by source
create table if not exists feedback.items (
    item_id varchar not null, -- `slack:<team>:<channel>:<thread_ts>`, `<store>:<app_id>:<review_id>` or `<source>:<id>`
    source varchar not null, -- slack, app_store, google_play, itunes, or the name of a source of your own
    source_key varchar not null, -- the key inside its source: `<team>:<channel>:<thread_ts>`, `<app_id>:<review_id>` or `<id>`
    permalink varchar, -- where a person can read it; NULL where its address is not known
    author_hash varchar, -- keyed hash of who began it; never a name
    channel_or_app varchar not null, -- channel name, app id, or part of a source of your own
    text varchar not null, -- plain, complete and masked; empty for a rating without words
    rating integer, -- one to five stars; NULL for Slack
    language varchar, -- BCP 47 where the source says
    territory varchar, -- country where the source says
    app_version varchar, -- version of the app where the source says
    visibility varchar not null, -- public or private
    posted_at timestamp_ntz not null, -- when it began, UTC
    last_activity_at timestamp_ntz not null, -- last message, edit or reply, UTC
    message_count integer not null, -- messages in the thread; 1 for a review
    author_count integer not null, -- different people in the thread; 1 for a review
    has_reply_by_team boolean not null, -- somebody of the team has answered
    is_unanswered boolean, -- a question that nobody has answered; NULL for reviews
    content_hash varchar not null, -- of the text and rating that are sent
    is_askable boolean not null, -- whether a model is asked about it
    unasked_reason varchar, -- why not: no_words, emoji_only
    first_run_id varchar not null, -- the run that first published it
    run_id varchar not null, -- the run that last published it
    updated_at timestamp_ntz not null -- newest change of the raw rows it was built from
);

-- How the customer feels.
-- key: item_id
-- freshness: each run of enrich_feedback
-- example: select label, count(*) from feedback.sentiment group by label
create table if not exists feedback.sentiment (
    item_id varchar not null, -- in feedback.items
    label varchar not null, -- positive, neutral, negative or mixed
    score double, -- -1 (bad) to 1 (good)
    quote varchar, -- the words that show it, as they stand in the text
    confidence double, -- 0 to 1, as the model says; not calibrated
    content_hash varchar not null, -- of the text that was asked about
    prompt_version varchar not null, -- of the prompt and answer type that asked
    model varchar, -- the model that answered; NULL for a rule or a person
    decided_by varchar not null, -- rule, cache, local, llm or human
    is_stale boolean not null, -- the text has changed since; a new answer is owed
    call_id varchar, -- the paid call in ops.llm_calls; NULL where none was made
    run_id varchar not null, -- the run that published it
    engine_version varchar not null, -- version of plugins/feedback that made it
    answered_at timestamp_ntz not null -- when the answer was given, UTC
);

-- What the customer wants.
-- key: item_id
-- freshness: each run of enrich_feedback
-- example: select label, count(*) from feedback.intent group by label
create table if not exists feedback.intent (
    item_id varchar not null, -- in feedback.items
    label varchar not null, -- bug_report, feature_request, question, praise, complaint or other
    quote varchar, -- the words that show it, as they stand in the text
    confidence double, -- 0 to 1, as the model says; not calibrated
    content_hash varchar not null, -- of the text that was asked about
    prompt_version varchar not null, -- of the prompt and answer type that asked
    model varchar, -- the model that answered; NULL for a rule or a person
    decided_by varchar not null, -- rule, cache, local, llm or human
    is_stale boolean not null, -- the text has changed since; a new answer is owed
    call_id varchar, -- the paid call in ops.llm_calls; NULL where none was made
    run_id varchar not null, -- the run that published it
    engine_version varchar not null, -- version of plugins/feedback that made it
    answered_at timestamp_ntz not null -- when the answer was given, UTC
);

-- Which part of the product it is about; several rows for an item, or none.
-- key: item_id, label
-- freshness: each run of enrich_feedback
-- example: select label, count(distinct item_id) from feedback.area group by label
create table if not exists feedback.area (
    item_id varchar not null, -- in feedback.items
    label varchar not null, -- a product area of the taxonomy
    quote varchar, -- the words that show it, as they stand in the text
    confidence double, -- 0 to 1, as the model says; not calibrated
    content_hash varchar not null, -- of the text that was asked about
    prompt_version varchar not null, -- of the prompt and answer type that asked
    model varchar, -- the model that answered; NULL for a rule or a person
    decided_by varchar not null, -- rule, cache, local, llm or human
    is_stale boolean not null, -- the text has changed since; a new answer is owed
    call_id varchar, -- the paid call in ops.llm_calls; NULL where none was made
    run_id varchar not null, -- the run that published it
    engine_version varchar not null, -- version of plugins/feedback that made it
    answered_at timestamp_ntz not null -- when the answer was given, UTC
);

-- A name of a product, feature or company as it was written; several rows for an item, or none.
-- key: mention_id
-- freshness: each run of enrich_feedback
-- example: select kind, norm, count(*) from feedback.mentions group by kind, norm order by 3 desc
create table if not exists feedback.mentions (
    item_id varchar not null, -- in feedback.items
    mention_id varchar not null, -- sha256(item_id, kind, normalised surface), first 16 hex digits
    kind varchar not null, -- product, feature or company
    surface varchar not null, -- the name as written
    norm varchar not null, -- the name as compared: folded and without legal suffix
    quote varchar, -- the words around it, as they stand in the text
    content_hash varchar not null, -- of the text that was asked about
    prompt_version varchar not null, -- of the prompt and answer type that asked
    model varchar, -- the model that answered; NULL for a rule or a person
    decided_by varchar not null, -- rule, cache, local, llm or human
    is_stale boolean not null, -- the text has changed since; a new answer is owed
    call_id varchar, -- the paid call in ops.llm_calls; NULL where none was made
    run_id varchar not null, -- the run that published it
    engine_version varchar not null, -- version of plugins/feedback that made it
    answered_at timestamp_ntz not null -- when the answer was given, UTC
);

-- Which entity a written name stands for. Names, not mentions, carry the entity.
-- key: kind, norm
-- freshness: each run of resolve_entities
-- example: select norm, entity_id from feedback.entity_names where kind = 'feature'
create table if not exists feedback.entity_names (
    kind varchar not null, -- product, feature or company
    norm varchar not null, -- the name as compared
    entity_id varchar not null, -- in feedback.entities, maybe through a redirect
    score double, -- 0 to 1, how sure the decision was
    decision_id varchar not null, -- in ops.entity_decisions
    run_id varchar not null -- the run that published it
);

-- One thing that names stand for. An id once published is never removed, only redirected.
-- key: entity_id
-- freshness: each run of resolve_entities
-- example: select canonical_name from feedback.entities where kind = 'company' and is_competitor
create table if not exists feedback.entities (
    entity_id varchar not null, -- minted once
    kind varchar not null, -- product, feature or company
    canonical_name varchar not null, -- how we write it
    is_competitor boolean not null, -- a flag of the catalog
    status varchar not null, -- active, merged or split
    merged_into varchar, -- the entity it became
    created_at timestamp_ntz not null, -- when it was minted, UTC
    run_id varchar not null -- the run that last changed it
);

-- Answers that newer ones replaced.
-- key: item_id, enrichment, answered_at
-- freshness: each run of enrich_feedback
-- example: select enrichment, count(*) from feedback.answers_history group by enrichment
create table if not exists feedback.answers_history (
    item_id varchar not null, -- in feedback.items when it was alive
    enrichment varchar not null, -- sentiment, intent, area or mentions
    answered_at timestamp_ntz not null, -- when the replaced answer was given
    answer variant not null, -- its published rows as a JSON array
    replaced_at timestamp_ntz not null, -- when the newer answer was published
    run_id varchar not null -- the run that replaced it
);
