-- Server: its version, its clock, and the newest receipt that it knows.
SELECT version(), now64(3, 'UTC'), (SELECT max(received_at) FROM events_raw)
