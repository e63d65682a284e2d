-- Whether this server replays the WAL of another one, and what it does with queries that are in the way of that. Servers 12+.
SELECT
    pg_is_in_recovery() AS standby,
    current_setting('hot_standby_feedback') = 'on' AS feedback,
    current_setting('max_standby_streaming_delay') AS delay
