-- SUBSCRIPTION, without its connection string. Servers 12+. Mirrors getSubscriptions and dumpSubscription of pg_dump.c. What is
-- read of pg_subscription others than superusers may read from 14 on only: subscription_readable.sql.
SELECT
    s.subname AS name,
    pg_get_userbyid(s.subowner) AS owner,
    d.description AS comment,
    (SELECT json_agg(json_build_array(l.provider, l.label) ORDER BY l.provider) FROM pg_shseclabel l
     WHERE l.classoid = 'pg_subscription'::regclass AND l.objoid = s.oid)::text AS label_pairs,
    s.subpublications AS publications_list,
    coalesce(s.subslotname, 'NONE') AS slot_name,
    CASE WHEN s.subbinary THEN 'true' END AS binary,                                                            -- [>=14]
    CASE s.substream::text WHEN 't' THEN 'on' WHEN 'true' THEN 'on' WHEN 'p' THEN 'parallel' END AS streaming,  -- [>=14]
    CASE WHEN s.subtwophasestate <> 'd' THEN 'on' END AS two_phase,                                             -- [>=15]
    CASE WHEN s.subdisableonerr THEN 'true' END AS disable_on_error,                                            -- [>=15]
    CASE WHEN NOT s.subpasswordrequired THEN 'false' END AS password_required,                                  -- [>=16]
    CASE WHEN s.subrunasowner THEN 'true' END AS run_as_owner,                                                  -- [>=16]
    CASE WHEN s.suborigin <> 'any' THEN s.suborigin END AS origin,                                              -- [>=16]
    CASE WHEN s.subfailover THEN 'true' END AS failover,                                                        -- [>=17]
    CASE WHEN s.subsynccommit <> 'off' THEN s.subsynccommit END AS synchronous_commit
FROM pg_subscription s
LEFT JOIN pg_description d ON d.classoid = 'pg_subscription'::regclass AND d.objoid = s.oid AND d.objsubid = 0
WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
