-- PUBLICATION TABLES IN SCHEMA. Mirrors getPublicationNamespaces and dumpPublicationNamespace of pg_dump.c.
SELECT n.nspname AS schema, p.pubname AS name                   -- [>=15]
FROM pg_publication_namespace m                                 -- [>=15]
JOIN pg_publication p ON p.oid = m.pnpubid                      -- [>=15]
JOIN pg_namespace n ON n.oid = m.pnnspid                        -- [>=15]
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' -- [>=15]
SELECT NULL AS schema, NULL AS name WHERE false                 -- [<15]
