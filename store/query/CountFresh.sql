-- CountFresh: how many events an update took up.
SELECT count() FROM touchline.device_events WHERE project = {project:String} AND run > {published:UInt64} AND type != 'link'
