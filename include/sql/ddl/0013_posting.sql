-- What a digest says while it waits for Slack, and since when a post may stand in its channel.

alter table ops.posts add column if not exists taken_at timestamp_ntz;
alter table ops.posts add column if not exists tried_at timestamp_ntz;
alter table ops.posts add column if not exists body variant;
