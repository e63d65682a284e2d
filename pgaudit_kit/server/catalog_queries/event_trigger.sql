-- EVENT TRIGGER. Servers 12+. Mirrors getEventTriggers and dumpEventTrigger of pg_dump.c.
SELECT
    x.evtname AS name,
    pg_get_userbyid(x.evtowner) AS owner,
    d.description AS comment,
    x.evtevent AS event,
    (SELECT string_agg(quote_literal(t.tag), ', ' ORDER BY t.place) FROM unnest(x.evttags) WITH ORDINALITY AS t(tag, place)) AS tags,
    x.evtfoid::regproc::text AS function,
    CASE x.evtenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END AS enabled
FROM pg_event_trigger x
LEFT JOIN pg_description d ON d.classoid = 'pg_event_trigger'::regclass AND d.objoid = x.oid AND d.objsubid = 0
WHERE x.oid NOT IN (
    SELECT objid FROM pg_depend WHERE classid = 'pg_event_trigger'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
)
