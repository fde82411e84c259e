-- RecordUpdate: notes how far an update has come.
INSERT INTO touchline.updates
SELECT
    {project:String}, {run:UInt64}, {state:String}, {all:Bool}, {settings:String}, fromUnixTimestamp64Milli({as_of:Int64}, 'UTC'),
    fromUnixTimestamp64Milli({next:Int64}, 'UTC'), fromUnixTimestamp64Milli({started:Int64}, 'UTC'), now64(3, 'UTC'),
    {events:UInt64}, {subjects:UInt64}
