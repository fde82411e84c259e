-- SumCredits: credit of touches by each dimension and day in the project's time zone: what the run adds and takes away,
-- and what was there of the same names and days. Credit and value of all models are summed side by side. What rounding
-- leaves over of a value is on the touch with the largest share.
INSERT INTO touchline_work.channel_credits_raw
WITH
    {models:Array(String)} AS models,
    changes AS (
        SELECT 1 AS sign, kind, level, timestamp, value, touches, credit
        FROM touchline_work.conversions_raw
        WHERE deleted = 0
        UNION ALL
        SELECT -1, kind, level, timestamp, value, touches, credit
        FROM touchline.conversions_raw FINAL
        WHERE NOT {all:Bool} AND project = {project:String}
            AND (subject_key, slot) IN (SELECT subject_key, slot FROM touchline_work.subjects_raw)
    ),
    split AS (
        SELECT
            kind, level, toDate(toTimeZone(timestamp, {timezone:String})) AS day,
            empty(touches) AS unattributed,
            toInt64(value * 1000000) AS micros,
            arrayMap(c -> if(empty(c.shares), [toInt64(1000000000000)], c.shares), credit) AS shares,
            arrayMap((s, v) -> arrayMap((x, w) -> toInt64(intDiv(toInt128(w) * x, 1000000000000)), s, arrayResize([v], length(s), v)),
                shares, arrayResize([micros], length(shares), micros)) AS parts,
            arrayMap((s, p, v) -> arrayMap((x, i, best, rest) -> sign * (x + if(i = best, rest, 0)), p, arrayEnumerate(p),
                    arrayResize([indexOf(s, arrayMax(s))], length(p), indexOf(s, arrayMax(s))),
                    arrayResize([v - arraySum(p)], length(p), v - arraySum(p))),
                shares, parts, arrayResize([micros], length(shares), micros)) AS worth,
            arrayMap(s -> arrayMap(x -> sign * x, s), shares) AS signed,
            arrayResize(touches, greatest(length(touches), 1)) AS t,
            arrayEnumerate(t) AS places
        FROM changes
    ),
    named AS (
        SELECT
            kind, level, day, place,
            arrayMap(s -> toInt128(s[place]), signed) AS credits,
            arrayMap(w -> toInt128(w[place]), worth) AS worths,
            if(unattributed, arrayResize(['Unattributed'], 7, 'Unattributed'),
                [touch.channel, touch.source, touch.medium, touch.campaign, touch.landing_page, touch.country, touch.device]) AS names
        FROM split
        ARRAY JOIN t AS touch, places AS place
    ),
    summed AS (
        SELECT kind, level, day, dimension, name, sumForEach(credits) AS credits, sumForEach(worths) AS worths
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
    ARRAY JOIN credits AS credit, worths AS worth, models AS model
    UNION ALL
    SELECT kind, level, model, dimension, name, day, conversions, value, false
    FROM touchline.channel_credits_raw FINAL
    WHERE NOT {all:Bool} AND project = {project:String} AND model != 'markov')
GROUP BY kind, at_level, model, dimension, name, day
HAVING max(changed) AND (all_credit != 0 OR all_worth != 0 OR NOT min(changed))
SETTINGS max_block_size = 8192
