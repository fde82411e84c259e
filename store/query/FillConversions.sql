-- FillConversions: a row of each conversion, with its journey and credit.
INSERT INTO touchline_work.conversions_raw
SELECT
    s.project, s.subject_key, s.slot, s.level, l.kind, c.conversion_id, c.timestamp, c.person, c.identified,
    if(s.slot = 0, s.conversion_account, s.account), c.order_id, l.number, c.amount, c.refunded, c.currency, c.value, c.gross, c.rated,
    c.country, l.lead, l.opportunity,
    arrayZip(t.timestamp, t.touch_id, t.person, t.channel, t.source, t.medium, t.campaign, t.landing_page, t.country, t.device),
    {models:Array(String)},
    if(empty(t), [arrayWithConstant(length({models:Array(String)}), 1000000000000)],
        arraySplit((x, i) -> i % length({models:Array(String)}) = 1, h.shares, arrayEnumerate(h.shares))),
    if(empty(t), [arrayWithConstant(length({models:Array(String)}), toInt64(c.value * 1000000))],
        arraySplit((x, i) -> i % length({models:Array(String)}) = 1, h.worth, arrayEnumerate(h.worth))),
    {run:UInt64}, 0
FROM (
    SELECT
        project, subject_key, slot, level, account, l, conversions[l.conversion] AS c, conversion_accounts[l.conversion] AS conversion_account,
        arrayConcat(if(l.inherited = 0, [], [touches[l.inherited]]), arraySlice(touches, l.first, l.touches)) AS t
    FROM touchline_work.subjects_raw
    ARRAY JOIN led AS l) AS s
LEFT JOIN touchline_work.shares AS h
    ON h.subject_key = s.subject_key AND h.slot = s.slot AND h.kind = s.l.kind AND h.conversion = s.l.conversion
SETTINGS max_insert_threads = 2, min_insert_block_size_rows = 500000, min_insert_block_size_bytes = 1000000000,
    query_plan_join_swap_table = 0
