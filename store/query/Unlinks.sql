-- Unlinks: links that were undone, newest first.
SELECT anonymous_id, user_id, unlinked_at, reason
FROM touchline.unlinks
WHERE project = {project:String}
ORDER BY unlinked_at DESC, anonymous_id, user_id
