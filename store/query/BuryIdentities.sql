-- BuryIdentities: affected devices that belong to nobody any more.
INSERT INTO touchline_work.identities_raw (project, device_key, version, deleted)
SELECT project, device_key, {run:UInt64}, 1
FROM touchline.identities_raw FINAL
WHERE project = {project:String} AND device_key IN (SELECT device_key FROM touchline_work.affected_devices)
    AND device_key NOT IN (SELECT device_key FROM touchline_work.identities_raw)
