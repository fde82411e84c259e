-- Unlink: notes that a link is undone.
INSERT INTO touchline.unlinks
SELECT {project:String}, {device:String}, {user:String}, fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {reason:String}
