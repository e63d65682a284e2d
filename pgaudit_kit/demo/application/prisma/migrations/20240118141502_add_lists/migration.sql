-- CreateEnum
CREATE TYPE "property_kind" AS ENUM ('TEXT', 'NUMBER', 'DATE', 'CHOICE');

-- AlterTable
ALTER TABLE "messages" ADD COLUMN     "list_id" UUID;

-- CreateTable
CREATE TABLE "lists" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "parent_id" UUID,
    "owner_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "order" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "lists_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "list_properties" (
    "id" SERIAL NOT NULL,
    "list_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "kind" "property_kind" NOT NULL DEFAULT 'TEXT',
    "is_required" BOOLEAN NOT NULL DEFAULT false,
    "order" SMALLINT NOT NULL DEFAULT 0,
    "choices" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "default_value" TEXT,

    CONSTRAINT "list_properties_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "lists_parent_id_idx" ON "lists"("parent_id");

-- CreateIndex
CREATE INDEX "lists_owner_id_idx" ON "lists"("owner_id");

-- CreateIndex
CREATE UNIQUE INDEX "list_properties_list_id_name_key" ON "list_properties"("list_id", "name");

-- AddForeignKey
ALTER TABLE "messages" ADD CONSTRAINT "messages_list_id_fkey" FOREIGN KEY ("list_id") REFERENCES "lists"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "lists" ADD CONSTRAINT "lists_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "lists"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "lists" ADD CONSTRAINT "lists_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "list_properties" ADD CONSTRAINT "list_properties_list_id_fkey" FOREIGN KEY ("list_id") REFERENCES "lists"("id") ON DELETE CASCADE ON UPDATE CASCADE;
