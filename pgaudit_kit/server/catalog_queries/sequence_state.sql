-- The state of every sequence in one go, as pg_dump's setval stores it. Servers 18+ (pg_get_sequence_data gives NULLs
-- without privilege). Mirrors collectSequences of pg_dump.c; older servers are asked sequence by sequence.
SELECT s.seqrelid AS relation, d.last_value::text AS last_value, d.is_called
FROM pg_sequence s
CROSS JOIN LATERAL pg_get_sequence_data(s.seqrelid) AS d
WHERE d.last_value IS NOT NULL
