-- AlterTable
ALTER TABLE "users" ADD COLUMN     "avatar" BYTEA,
ADD COLUMN     "country_code" CHAR(3),
ADD COLUMN     "deactivated_at" TIMESTAMPTZ(3),
ADD COLUMN     "last_ip" INET;

-- By hand: rules that Prisma's schema language cannot say.
ALTER TABLE "users" ADD CONSTRAINT "users_email_check" CHECK (position('@' in "email") > 1);
ALTER TABLE "list_properties" ADD CONSTRAINT "list_properties_range_check" CHECK ("minimum" <= "maximum");
ALTER TABLE "list_data_rows" ADD CONSTRAINT "list_data_rows_data_check" CHECK (jsonb_typeof("data") = 'object');

COMMENT ON TABLE "list_data_rows" IS 'The rows that people type into their lists; the shape of "data" is in list_properties.';
COMMENT ON COLUMN "users"."settings" IS 'What the settings page stores; it''s free-form, see the client''s types.';
COMMENT ON COLUMN "messages"."cost" IS 'In euro; 0 for messages inside the app.';
