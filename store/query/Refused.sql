-- Refused: messages of a project that are refused still, after a place in their order; newest first or oldest first.
SELECT project, message_id, reason, detail, refused_by, toUnixTimestamp64Milli(received_at), rejected_at, size, hash, payload
FROM rejected
WHERE project = {project:String} AND replayed_at = toDateTime64(0, 3, 'UTC')
    AND ({reason:String} = '' OR reason = {reason:String})
    AND received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND ({first:UInt8} OR (received_at, message_id, hash) > (fromUnixTimestamp64Milli({after:Int64}, 'UTC'), {id:String}, {hash:String}))
ORDER BY if({newest:UInt8}, -toUnixTimestamp64Milli(received_at), toUnixTimestamp64Milli(received_at)), message_id, hash
LIMIT {limit:UInt64}
