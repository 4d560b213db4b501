-- What is told about an incident, and who is at work on a post, so that no message is sent twice or lost.

alter table ops.incidents add column if not exists message variant;
alter table ops.posts add column if not exists thread_key varchar;
alter table ops.posts add column if not exists attempt varchar;
