-- Where a snapshot comes from, and the session settings that shape what its session prints (none of these is set by
-- pg_dump, so the same values shape a dump). Servers 12+.
SELECT
    current_database() AS database,
    current_setting('server_version') AS server_version,
    pg_encoding_to_char(b.encoding) AS server_encoding,
    to_char(transaction_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
    current_user::text AS role,
    current_setting('TimeZone') AS "TimeZone",
    current_setting('bytea_output') AS bytea_output,
    current_setting('lc_monetary') AS lc_monetary,
    current_setting('standard_conforming_strings') AS standard_conforming_strings,
    current_setting('client_encoding') AS client_encoding
FROM pg_database b
WHERE b.datname = current_database()
