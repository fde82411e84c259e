-- Channels: the channels of touches at hand.
SELECT DISTINCT toString(arrayJoin(arrayDistinct(touches.channel))) AS channel
FROM touchline_work.subjects_raw
ORDER BY channel
