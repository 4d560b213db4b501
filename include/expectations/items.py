"""What must hold of an item before anybody is asked about it."""

from feedback.validation.rule import Rule, Severity
from feedback.validation.subject import Subject, Table
from feedback.validation.volume import VOLUME
from include.enrichments import ENRICHMENTS
from include.known_sources import KINDS

MISBUILT = "Built wrong from its raw rows: compare with raw by source_key, mend the source, run extract_feedback again."
UNMASKED = "An address, phone or card number slipped past masking: add its shape to the redaction, load again."
DAMAGED = "The text holds replacement characters: see in which encoding its file was read."

INCOMPLETE = (
    "Slack counts other replies than are stored: see which threads (docs/operating.md); what waits in ops.cases or"
    " ops.coverage explains it, else run extract_feedback again."
)
REPLIES = """
    select 'all' as slice, failed, failed as measured, 0 as bound, n
    from (
        select coalesce(count_if(stored <> reply_count), 0) as failed, count(*) as n
        from (
            select ledger.reply_count, count(m.ts) as stored
            from ops.slack_threads as ledger
            left join raw.slack_messages as m
                on m.team_id = ledger.team_id and m.channel_id = ledger.channel_id and m.thread_ts = ledger.thread_ts
                and m.ts <> m.thread_ts and (not m.is_deleted or m.row_hash in ('erased', 'expired'))
            group by ledger.team_id, ledger.channel_id, ledger.thread_ts, ledger.reply_count
        ) as threads
    ) as counted"""

LOST = "Reviews went by before they were read: load the report of Play Console for those months (docs/stores.md)."
LOST_WINDOWS = """
    select source as slice, lost as failed, lost as measured, 0 as bound, n
    from (
        select source, count_if(reason = 'window_missed') as lost, count(*) as n from ops.coverage group by source
    ) as counted"""
UNREAD = (
    "Files, apps or channels could not be read: each line of ops.coverage says what to do; then run extract_feedback."
)
UNREAD_PARTS = """
    select source as slice, unread as failed, unread as measured, 0 as bound, n
    from (
        select source, count_if(status in ('failed', 'refused') and reason <> 'window_missed') as unread, count(*) as n
        from ops.coverage group by source
    ) as counted"""
TWICE = "The same words came under several ids: see whether a source is loaded twice, by API and by file for instance."
REPEATED = """
    select 'all' as slice, failed, failed / n as measured, case when n >= 30 then 0.1 end as bound, n
    from (
        select cast(count(*) as double) as n, count_if(known.ids > 1) as failed
        from staged
        left join (
            select content_hash, count(distinct item_id) as ids
            from (
                select content_hash, item_id from feedback.items
                union all
                select content_hash, item_id from staged
            ) as every_item
            where content_hash in (select content_hash from staged)
            group by content_hash
        ) as known on known.content_hash = staged.content_hash
        where length(staged.text) >= 60
    ) as counted
    where n > 0"""


def _batch_rule(name: str, measure: str, runbook: str) -> Rule:
    return Rule(
        id=name,
        scope="run",
        severity="warning",
        owner="sources",
        runbook=runbook,
        condition="measured <= bound",
        measure=measure,
    )


def _rule(name: str, condition: str, runbook: str = MISBUILT, severity: Severity = "critical") -> Rule:
    return Rule(id=name, scope="row", severity=severity, owner="sources", runbook=runbook, condition=condition)


ITEMS_SUBJECT = Subject(
    name="items",
    kind="items",
    tables=(Table("items", ("item_id",)),),
    rules=(
        _rule("key_unique", "count(*) over (partition by item_id) = 1"),
        _rule("key_well_formed", "item_id = source || ':' || source_key"),
        _rule("source_known", f"source in {KINDS}"),
        _rule("visibility_known", "visibility in ('public', 'private')"),
        _rule("text_present", "text is not null"),
        _rule("askable_has_words", "is_askable = false or trim(text) <> ''"),
        _rule("unasked_has_reason", "is_askable or unasked_reason is not null"),
        _rule("personal_data_absent", "not has_personal_data", UNMASKED),
        # What a clock that was never set says is of 1970; a day of slack is for clocks and zones.
        _rule(
            "posted_at_sane",
            "posted_at >= cast('1990-01-01' as timestamp_ntz) and posted_at <= last_activity_at"
            " and last_activity_at <= cast(current_timestamp as timestamp_ntz) + interval '1 day'",
        ),
        _rule("rating_in_range", "rating is null or rating between 1 and 5"),
        # Of a published thread whose words were all taken back nothing is left to count.
        _rule("counts_sane", "(message_count >= 1 or text = '') and author_count between 0 and message_count"),
        _rule("lineage_complete", "content_hash is not null and updated_at is not null"),
        _rule("text_undamaged", "text is null or position('\ufffd' in text) = 0", DAMAGED, "warning"),
        _batch_rule("replies_complete", REPLIES, INCOMPLETE),
        _batch_rule("window_kept", LOST_WINDOWS, LOST),
        _batch_rule("sources_covered", UNREAD_PARTS, UNREAD),
        _batch_rule("words_once", REPEATED, TWICE),
        VOLUME,
    ),
    answered_by=tuple(enrichment.name for enrichment in ENRICHMENTS),
)
