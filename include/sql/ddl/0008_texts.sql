-- Where sources without tables of their own land: tables of the warehouse, and whatever is added later.

-- One thing that a customer said in such a source, its newest version: a ticket, a call, an answer to a survey.
-- key: source, id
-- freshness: each run of extract_feedback
-- example: select source, count(*) from raw.texts where not is_deleted group by source
create table if not exists raw.texts (
    source varchar not null, -- the source's name, which is also the source of its items
    id varchar not null, -- what tells it apart in the source, for good
    title varchar, -- as written; stands before the body in the item's text
    body varchar, -- as written
    author varchar, -- who wrote it, as the source names them; only hashed is it published
    channel varchar, -- the part of the source that people know it by: a queue, a product, a campaign
    url varchar, -- where the source shows it
    rating integer, -- one to five stars, where the source asks for them
    language varchar, -- BCP 47 where the source says
    territory varchar, -- country where the source says
    app_version varchar, -- version of the app it speaks of
    is_private boolean, -- whether it stays out of digests; NULL is no
    created_at timestamp_ntz, -- when it was first written, UTC
    updated_at timestamp_ntz, -- when it was last changed, UTC
    payload variant, -- the whole as it came; NULL where the columns hold all that was read
    is_deleted boolean not null, -- gone from the source; only a complete walk of it may say so
    row_hash varchar not null, -- over everything that was read
    first_seen_at timestamp_ntz not null, -- when a load first brought it
    changed_at timestamp_ntz not null, -- when a load last changed it
    run_id varchar not null -- the run that last changed it
);

-- Earlier versions of texts that were changed.
-- key: source, id, valid_from
-- freshness: each run of extract_feedback
-- example: select source, id, body, valid_from from raw.texts_history order by source, id, valid_from
create table if not exists raw.texts_history (
    source varchar not null, -- as in raw.texts
    id varchar not null, -- as in raw.texts
    valid_from timestamp_ntz not null, -- when this version was first seen
    valid_to timestamp_ntz not null, -- when the next one replaced it
    title varchar, -- the title of this version
    body varchar, -- the words of this version
    rating integer, -- the stars of this version
    updated_at timestamp_ntz, -- when it had been changed
    payload variant, -- the whole of this version
    row_hash varchar not null, -- hash of this version
    run_id varchar not null -- the run that replaced it
);
