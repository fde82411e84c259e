-- Canonical: who stands for users whom alias calls joined with others.
SELECT DISTINCT canonical
FROM touchline.aliases
WHERE project = {project:String} AND user_id IN {ids:Array(String)}
ORDER BY canonical
