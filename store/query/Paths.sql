-- Paths: the paths that models learn from. Conversions without any touch are in no path.
SELECT path, conversions, toFloat64(value), nulls
FROM touchline_work.path_stats
WHERE notEmpty(path)
