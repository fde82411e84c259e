-- BuryChannelCredits: credit of the chain that there is no more.
INSERT INTO touchline_work.channel_credits_raw (project, kind, level, model, dimension, name, day, version, deleted)
SELECT project, kind, level, model, dimension, name, day, {run:UInt64}, 1
FROM touchline.channel_credits_raw FINAL
WHERE NOT {all:Bool} AND project = {project:String} AND model = 'markov' AND kind = {kind:String} AND level = {level:String}
    AND (name, day) NOT IN (
        SELECT name, day FROM touchline_work.channel_credits_raw WHERE model = 'markov' AND kind = {kind:String} AND level = {level:String})
