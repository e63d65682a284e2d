-- By hand: rows that are edited past Prisma (imports, psql) get a fresh "updatedAt" too.
CREATE FUNCTION "touch_updated_at"() RETURNS TRIGGER
    LANGUAGE plpgsql
AS $$
BEGIN
    NEW."updatedAt" := date_trunc('milliseconds', now() AT TIME ZONE 'UTC');
    RETURN NEW;
END;
$$;

CREATE TRIGGER "list_data_rows_touch_updated_at"
    BEFORE UPDATE ON "list_data_rows"
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION "touch_updated_at"();
