-- ConversionCredits: what each model gives the touches of one conversion.
SELECT
    model,
    arrayMap(row -> row.2, arraySort(groupArray((position, credit, value)))),
    arrayMap(row -> row.3, arraySort(groupArray((position, credit, value))))
FROM touchline.credits
WHERE project = {project:String} AND kind = {kind:String} AND level = {level:String} AND conversion_id = {id:String}
GROUP BY model
ORDER BY model
SETTINGS optimize_move_to_prewhere_if_final = 1
