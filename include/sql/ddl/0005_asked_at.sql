-- Warehouses made before staging.asked knew when a question was asked.

alter table staging.asked add column if not exists asked_at timestamp_ntz;
