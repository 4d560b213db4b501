-- Of which question people have asked to judge names again.

alter table ops.cases add column if not exists prompt_version varchar;
