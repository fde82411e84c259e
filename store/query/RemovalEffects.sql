-- RemovalEffects: what part of the conversions markov's chain loses without each channel.
SELECT channel, effect
FROM touchline.removal_effects
WHERE project = {project:String} AND kind = {kind:String} AND level = {level:String}
