-- AlterEnum
ALTER TYPE "MessageStatus" ADD VALUE 'ARCHIVED';

-- AlterEnum
ALTER TYPE "property_kind" ADD VALUE 'FILE';

-- AlterTable
ALTER TABLE "messages" ADD COLUMN     "cost" DECIMAL(12,4) NOT NULL DEFAULT 0,
ADD COLUMN     "relevance" REAL,
ADD COLUMN     "sentiment" DOUBLE PRECISION,
ALTER COLUMN "status" SET DEFAULT 'SENT';

-- AlterTable
ALTER TABLE "list_properties" ADD COLUMN     "maximum" DECIMAL,
ADD COLUMN     "minimum" DECIMAL;

-- AlterTable
ALTER TABLE "lists" ADD COLUMN     "is_archived" BOOLEAN NOT NULL DEFAULT false;

-- By hand: the unread badge asks for this on every page.
CREATE INDEX "messages_unread_idx" ON "messages"("user_id") WHERE "read_at" IS NULL;
