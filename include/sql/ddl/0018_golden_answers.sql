-- What was answered about golden items, asked beside a batch: what the gate knows of a prompt and a model.

-- One golden question, as one prompt version and model answered it.
-- key: item_id, enrichment, prompt_version, model
-- freshness: each run of enrich_feedback that asks, and make eval
-- example: select enrichment, prompt_version, model, count(*) from ops.golden_answers group by all
create table if not exists ops.golden_answers (
    item_id varchar not null, -- in feedback.items
    enrichment varchar not null, -- sentiment, intent, area or mentions
    content_hash varchar not null, -- of the text that was asked about
    prompt_version varchar not null, -- of the prompt that asked
    model varchar not null, -- the model that most rows are asked of; what it was unsure of the large one may have answered
    answer variant, -- the labels or names that were answered; NULL where there was no answer that can be used
    run_id varchar not null, -- the run that asked
    answered_at timestamp_ntz not null -- when, UTC
);
