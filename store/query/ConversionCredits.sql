-- ConversionCredits: what each model gives the touches of one conversion. Its time narrows what is read.
SELECT
    model,
    arrayMap(row -> row.2, arraySort(groupArray((position, credit, value)))),
    arrayMap(row -> row.3, arraySort(groupArray((position, credit, value))))
FROM touchline.credits
WHERE project = {project:String} AND kind = {kind:String} AND level = {level:String} AND conversion_id = {id:String}
    AND toUnixTimestamp64Milli(converted) = {converted:Int64}
GROUP BY model
ORDER BY model
