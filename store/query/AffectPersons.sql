-- AffectPersons: the people to compute anew: affected users, of whom those who stand or stood for others are some, and
-- whoever has events on affected devices without being a user.
INSERT INTO touchline_work.affected_persons
SELECT device_key FROM touchline_work.affected_devices
UNION DISTINCT
SELECT sipHash64('u', user_id) FROM touchline_work.affected_users
