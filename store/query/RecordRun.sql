-- RecordRun: a run has ended.
INSERT INTO runs (project, started, ended, result, error, as_of)
SELECT {project:String},
       fromUnixTimestamp64Milli({started:Int64}, 'UTC'), fromUnixTimestamp64Milli({ended:Int64}, 'UTC'),
       if({error:String} = '', 'done', 'failed'), {error:String},
       fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')
