-- GroupAccounts: everything of each account, and of people with accounts what counts for none: they are an account of one
-- for that. People whom this run does not compute come from the last one.
INSERT INTO touchline_work.groups
WITH
    members AS (
        SELECT * FROM touchline_work.groups WHERE slot = 0 AND notEmpty(accounts)
        UNION ALL
        SELECT *
        FROM touchline.subjects_raw FINAL
        WHERE NOT {all:Bool} AND project = {project:String} AND slot = 0
            AND hasAny(accounts, (SELECT groupArray(account) FROM touchline_work.affected_accounts))
            AND subject_key NOT IN (SELECT person_key FROM touchline_work.affected_persons)
    ),
    parts AS (
        SELECT
            *, part,
            part != '' AS whole,
            if(whole, sipHash64('g', part), subject_key) AS part_key
        FROM members
        ARRAY JOIN arrayPushBack(accounts, '') AS part
        WHERE if(whole, {all:Bool} OR part IN (SELECT account FROM touchline_work.affected_accounts),
            version = {run:UInt64} AND (has(touch_accounts, '') OR has(conversion_accounts, '')))
    )
SELECT
    any(project), part_key, 1, 'account',
    any(if(whole, '', p.person)), any(NOT whole AND p.identified), any(part),
    min(p.first_seen), max(p.last_seen), sum(p.events), sum(p.devices), count(),
    argMax(p.country, (p.last_seen, p.subject_key)),
    if(any(whole), argMax(arrayLast(m -> m.account = part, p.memberships).traits,
        (arrayLast(m -> m.account = part, p.memberships).timestamp, p.subject_key)), any(p.traits)),
    '', '',
    arraySort(arrayFlatten(groupArray(arrayFilter((t, a) -> a = part, p.touches, p.touch_accounts)))) AS all_touches,
    arraySort(arrayFlatten(groupArray(arrayFilter((c, a) -> a = part, p.conversions, p.conversion_accounts)))) AS all_conversions,
    arraySort(arrayFlatten(groupArray(arrayFilter((m, a) -> a = part, p.milestones, p.milestone_accounts)))) AS all_milestones,
    arrayWithConstant(length(all_touches), any(part)), arrayWithConstant(length(all_conversions), any(part)),
    arrayWithConstant(length(all_milestones), any(part)),
    [], [], [], [], {run:UInt64}, 0
FROM parts AS p
GROUP BY part_key
