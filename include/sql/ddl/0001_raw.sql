-- The landing area: what the sources said, one row per message or review, newest version, nothing left out.

create schema if not exists raw;

-- One Slack message, its newest version.
-- key: team_id, channel_id, ts
-- freshness: each run of extract_feedback
-- example: select channel_id, count(*) from raw.slack_messages group by channel_id
create table if not exists raw.slack_messages (
    team_id varchar not null, -- the workspace; `export-…` where an export does not say
    channel_id varchar not null, -- Slack's id of the channel; its folder name where the export lists none
    ts varchar not null, -- Slack's timestamp, its identity inside the channel; a string, never a number
    thread_ts varchar, -- ts of the root; equal to ts for a root
    user_id varchar, -- who wrote it, as Slack names them
    subtype varchar, -- Slack's subtype; NULL for an ordinary message
    text varchar, -- as Slack stores it, in its own markup
    payload variant, -- the whole message as it came
    edited_at timestamp_ntz, -- when its author last edited it
    is_deleted boolean not null, -- gone from Slack; only a complete walk of the API may say so
    row_hash varchar not null, -- over what a person wrote, not over counters or reactions
    first_seen_at timestamp_ntz not null, -- when a load first brought it
    changed_at timestamp_ntz not null, -- when a load last changed it
    run_id varchar not null -- the run that last changed it
);

-- Earlier versions of edited messages.
-- key: team_id, channel_id, ts, valid_from
-- freshness: each run of extract_feedback
-- example: select ts, text, valid_from from raw.slack_messages_history order by ts, valid_from
create table if not exists raw.slack_messages_history (
    team_id varchar not null, -- as in raw.slack_messages
    channel_id varchar not null, -- as in raw.slack_messages
    ts varchar not null, -- as in raw.slack_messages
    valid_from timestamp_ntz not null, -- when this version was first seen
    valid_to timestamp_ntz not null, -- when the next one replaced it
    text varchar, -- the words of this version
    payload variant, -- the whole message of this version
    edited_at timestamp_ntz, -- when its author had edited it
    row_hash varchar not null, -- hash of this version
    run_id varchar not null -- the run that replaced it
);

-- One Slack channel.
-- key: team_id, id
-- freshness: each run of extract_feedback
-- example: select name from raw.slack_channels order by name
create table if not exists raw.slack_channels (
    team_id varchar not null, -- the workspace
    id varchar not null, -- Slack's id of the channel
    name varchar, -- its name without the hash sign
    is_private boolean not null, -- whether it is closed to the workspace
    payload variant, -- the channel as it came
    row_hash varchar not null, -- over the name and the payload
    first_seen_at timestamp_ntz not null, -- when a load first brought it
    changed_at timestamp_ntz not null, -- when a load last changed it
    run_id varchar not null -- the run that last changed it
);

-- One Slack user. E-mail addresses are left out unless FEEDBACK_STORE_EMAILS is on.
-- key: team_id, id
-- freshness: each run of extract_feedback
-- example: select count(*) from raw.slack_users
create table if not exists raw.slack_users (
    team_id varchar not null, -- the workspace
    id varchar not null, -- Slack's id of the user
    name varchar, -- the display name
    is_team boolean, -- one of ours, as far as the export or the settings tell; NULL where unknown
    payload variant, -- the user as it came
    row_hash varchar not null, -- over the name and the payload
    first_seen_at timestamp_ntz not null, -- when a load first brought it
    changed_at timestamp_ntz not null, -- when a load last changed it
    run_id varchar not null -- the run that last changed it
);

-- One app-store review, its newest version.
-- key: store, app_id, review_id
-- freshness: each run of extract_feedback
-- example: select store, avg(rating) from raw.app_reviews group by store
create table if not exists raw.app_reviews (
    store varchar not null, -- app_store, google_play or itunes; ids are never mixed between them
    app_id varchar not null, -- the store's id of the app
    review_id varchar not null, -- the store's id of the review; minted where a store gives none
    rating integer, -- one to five stars
    title varchar, -- as written
    body varchar, -- as written, never a translation
    author varchar, -- the public nickname
    language varchar, -- BCP 47 where the store says
    territory varchar, -- country where the store says
    app_version varchar, -- version of the app it speaks of
    created_at timestamp_ntz, -- when it was first written, UTC
    updated_at timestamp_ntz, -- when its author last changed it, UTC
    reply_text varchar, -- our public answer
    replied_at timestamp_ntz, -- when we answered, UTC
    payload variant, -- the review as it came
    is_deleted boolean not null, -- gone from the store; only a complete walk of an API may say so
    row_hash varchar not null, -- over what people wrote: rating, title, body, reply
    first_seen_at timestamp_ntz not null, -- when a load first brought it
    changed_at timestamp_ntz not null, -- when a load last changed it
    run_id varchar not null -- the run that last changed it
);

-- Earlier versions of edited reviews.
-- key: store, app_id, review_id, valid_from
-- freshness: each run of extract_feedback
-- example: select review_id, rating, valid_from from raw.app_reviews_history order by review_id, valid_from
create table if not exists raw.app_reviews_history (
    store varchar not null, -- as in raw.app_reviews
    app_id varchar not null, -- as in raw.app_reviews
    review_id varchar not null, -- as in raw.app_reviews
    valid_from timestamp_ntz not null, -- when this version was first seen
    valid_to timestamp_ntz not null, -- when the next one replaced it
    rating integer, -- the stars of this version
    title varchar, -- the title of this version
    body varchar, -- the words of this version
    reply_text varchar, -- our answer to this version
    updated_at timestamp_ntz, -- when its author had changed it
    payload variant, -- the whole review of this version
    row_hash varchar not null, -- hash of this version
    run_id varchar not null -- the run that replaced it
);
