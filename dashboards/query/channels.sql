-- How many conversions does each model credit to each channel? Markov's column holds the model's own totals.
SELECT
    project, kind, name AS channel,
    round(toFloat64(sumIf(conversions, model = 'first')), 2) AS first,
    round(toFloat64(sumIf(conversions, model = 'last')), 2) AS last,
    round(toFloat64(sumIf(conversions, model = 'linear')), 2) AS linear,
    round(toFloat64(sumIf(conversions, model = 'markov')), 2) AS markov,
    round(toFloat64(sumIf(conversions, model = 'shapley')), 2) AS shapley
FROM channel_credits
WHERE level = 'person' AND dimension = 'channel'
GROUP BY project, kind, channel
ORDER BY project, kind, linear DESC, channel
