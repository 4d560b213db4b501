-- The memory of migrations, before everything else: without it a schema of our name is somebody else's.

create schema if not exists ops;

-- Which schema version this warehouse has.
-- key: name
-- freshness: when plugins/ or include/ moved on
-- example: select version, name, applied_at from ops.schema_version order by version, name
create table if not exists ops.schema_version (
    version integer not null, -- number of the file in include/sql/ddl; 0 for the views
    name varchar not null, -- name of the file; `views` for all of them
    checksum varchar not null, -- sha256 of its statements
    applied_at timestamp_ntz not null -- when, UTC
);
