-- ConversionTouches: the journey of one conversion, and as of when it was judged.
SELECT
    as_of,
    touches.touch_id, touches.timestamp, touches.channel, touches.source, touches.medium, touches.campaign
FROM touchline.journeys
WHERE project = {project:String} AND kind = {kind:String} AND level = {level:String} AND conversion_id = {id:String}
