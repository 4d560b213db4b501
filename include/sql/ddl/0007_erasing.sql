-- What an erasure is about to reach, named before anything is touched.

-- The raw rows whose words go, with the items they belong to.
-- key: run_id, target, row_key
-- freshness: while an erasure is planned or at work
create transient table if not exists staging.erasing (
    target varchar not null, -- the raw table
    row_key varchar not null, -- its key there, joined by |
    item_id varchar, -- the item it belongs to; NULL where it belongs to none
    is_own boolean not null, -- the words are the row's own; else it repeats them inside its payload
    run_id varchar not null -- the run, which sees its own rows only
);
