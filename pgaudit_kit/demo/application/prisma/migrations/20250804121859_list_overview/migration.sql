-- By hand: the start page reads this view.
CREATE VIEW "list_overview" AS
SELECT
    l."id",
    l."name",
    u."display_name" AS "owner",
    p."name" AS "parent",
    count(r."id") AS "rows",
    max(r."updatedAt") AS "lastChange"
FROM "lists" l
JOIN "users" u ON u."id" = l."owner_id"
LEFT JOIN "lists" p ON p."id" = l."parent_id"
LEFT JOIN "list_data_rows" r ON r."list_id" = l."id"
WHERE NOT l."is_archived"
GROUP BY l."id", l."name", u."display_name", p."name";

COMMENT ON VIEW "list_overview" IS 'One row per list that is not archived.';
