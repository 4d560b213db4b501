create schema if not exists marts;

drop view if exists marts.feedback_wide;

-- Everything that is published about one thing a customer said, on one row: the table for analysts.
-- key: item_id
-- freshness: each run of extract_feedback, enrich_feedback and resolve_entities
-- example: select intent, avg(sentiment_score) from marts.feedback_wide where not is_stale group by intent
create view marts.feedback_wide as
with area_lists as (
    select item_id, to_json(array_agg(label) within group (order by label)) as labels, max(stale) as stale
    from (
        select item_id, label, max(case when is_stale then 1 else 0 end) as stale
        from feedback.area
        group by item_id, label
    ) as labelled
    group by item_id
),

name_lists as (
    select item_id, to_json(array_agg(entity) within group (order by entity)) as names, max(stale) as stale
    from (
        select
            item_id,
            coalesce(canonical_name, surface) as entity,
            max(case when is_stale then 1 else 0 end) as stale
        from feedback.mentions_resolved
        group by item_id, coalesce(canonical_name, surface)
    ) as named
    group by item_id
)

select
    items.item_id, -- in feedback.items
    items.source, -- slack, app_store, google_play, itunes, or the name of a source of your own
    items.permalink, -- where a person can read it; NULL where its address is not known
    items.channel_or_app, -- channel name, app id, or part of a source of your own
    items.text, -- plain, complete and masked
    items.rating, -- one to five stars; NULL for Slack
    items.language, -- BCP 47 where the source says
    items.territory, -- country where the source says
    items.app_version, -- version of the app where the source says
    items.visibility, -- public or private
    items.posted_at, -- when it began, UTC
    items.last_activity_at, -- last message, edit or reply, UTC
    items.message_count, -- messages in the thread; 1 for a review
    items.author_count, -- different people in the thread; 1 for a review
    items.has_reply_by_team, -- somebody of the team has answered
    items.is_unanswered, -- a question that nobody has answered; NULL for reviews
    items.is_askable, -- whether a model is asked about it
    items.unasked_reason, -- why not
    sentiments.label as sentiment, -- positive, neutral, negative or mixed; NULL until answered
    sentiments.score as sentiment_score, -- -1 (bad) to 1 (good)
    sentiments.quote as sentiment_quote, -- the words that show it
    sentiments.confidence as sentiment_confidence, -- 0 to 1, as the model says; not calibrated
    sentiments.model as sentiment_model, -- the model that answered; `offline` is not a language model
    intents.label as intent, -- bug_report, feature_request, question, praise, complaint or other; NULL until answered
    intents.quote as intent_quote, -- the words that show it
    intents.confidence as intent_confidence, -- 0 to 1, as the model says; not calibrated
    intents.model as intent_model, -- the model that answered; `offline` is not a language model
    coalesce(area_lists.labels, '[]') as areas, -- product areas, a sorted JSON array
    coalesce(name_lists.names, '[]') as entities, -- names of products, features and companies, a sorted JSON array
    coalesce(sentiments.is_stale, false)
    or coalesce(intents.is_stale, false)
    or coalesce(area_lists.stale, 0) = 1
    or coalesce(name_lists.stale, 0) = 1 as is_stale -- the text has changed since any of these answers
from feedback.items as items
left join feedback.sentiment as sentiments on items.item_id = sentiments.item_id
left join feedback.intent as intents on items.item_id = intents.item_id
left join area_lists on items.item_id = area_lists.item_id
left join name_lists on items.item_id = name_lists.item_id;
