-- AccountMembers: users and devices whose events name an account, and the users of those devices.
WITH members AS (
    SELECT DISTINCT user_id, anonymous_id
    FROM touchline.events
    WHERE project = {project:String} AND account_id = {account:String} AND NOT is_bot
)
SELECT DISTINCT id
FROM (
    SELECT if(user_id = '', anonymous_id, user_id) AS id FROM members
    UNION ALL
    SELECT user_id
    FROM touchline.identities
    WHERE project = {project:String} AND anonymous_id IN (SELECT anonymous_id FROM members WHERE user_id = '')
)
WHERE id != ''
LIMIT {limit:UInt64}
