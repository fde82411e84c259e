-- SumCredits: credit of touches by each dimension and day in the project's time zone: what the run adds and takes away,
-- and what was there of the same names and days. Credit and value of all models are summed side by side.
INSERT INTO touchline_work.channel_credits_raw
WITH
    changes AS (
        SELECT 1 AS sign, kind, level, timestamp, touches, shares, worth
        FROM touchline_work.conversions_raw
        WHERE deleted = 0
        UNION ALL
        SELECT -1, kind, level, timestamp, touches, shares, worth
        FROM touchline.conversions_raw FINAL
        WHERE NOT {all:Bool} AND project = {project:String}
            AND (subject_key, slot) IN (SELECT subject_key, slot FROM touchline_work.subjects_raw)
    ),
    named AS (
        SELECT
            kind, level, toDate(toTimeZone(timestamp, {timezone:String})) AS day, sign,
            arrayMap(x -> toInt128(sign * x), arrayConcat(c, w)) AS credit,
            if(empty(touches), arrayWithConstant(7, 'Unattributed'),
                [t.channel, t.source, t.medium, t.campaign, t.landing_page, t.country, t.device]::Array(String)) AS names
        FROM changes
        ARRAY JOIN arrayResize(touches, length(shares)) AS t, shares AS c, worth AS w
    ),
    summed AS (
        SELECT kind, level, day, dimension, name, sumForEach(credit) AS credits
        FROM named
        ARRAY JOIN names AS name, ['channel', 'source', 'medium', 'campaign', 'landing_page', 'country', 'device'] AS dimension
        GROUP BY kind, level, day, dimension, name
    )
SELECT
    {project:String}, kind, at_level, model, dimension, name, day, sum(credit) AS all_credit, sum(worth) AS all_worth,
    {run:UInt64}, all_credit = 0 AND all_worth = 0
FROM (
    SELECT
        kind, arrayJoin(if(level = 'both', ['person', 'account'], [toString(level)])) AS at_level, model, dimension, name, day,
        reinterpret(credit, 'Decimal(38, 12)') AS credit, reinterpret(worth, 'Decimal(38, 6)') AS worth, true AS changed
    FROM summed
    ARRAY JOIN arraySlice(credits, 1, length({models:Array(String)})) AS credit,
        arraySlice(credits, length({models:Array(String)}) + 1) AS worth, {models:Array(String)} AS model
    UNION ALL
    SELECT kind, level, model, dimension, name, day, conversions, value, false
    FROM touchline.channel_credits_raw FINAL
    WHERE NOT {all:Bool} AND project = {project:String} AND model != 'markov')
GROUP BY kind, at_level, model, dimension, name, day
HAVING max(changed) AND (all_credit != 0 OR all_worth != 0 OR NOT min(changed))
