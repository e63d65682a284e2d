-- CreateTable
CREATE TABLE "list_data_rows" (
    "id" UUID NOT NULL,
    "list_id" UUID NOT NULL,
    "created_by" INTEGER,
    "data" JSONB NOT NULL,
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "scores" DOUBLE PRECISION[],
    "amount" DECIMAL,
    "starts_on" DATE,
    "remind_at" TIMESTAMPTZ(3),
    "estimate" INTERVAL,
    "attachment" BYTEA,
    "note" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "list_data_rows_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "list_data_rows_list_id_idx" ON "list_data_rows"("list_id");

-- CreateIndex
CREATE INDEX "list_data_rows_data_idx" ON "list_data_rows" USING GIN ("data" jsonb_path_ops);

-- AddForeignKey
ALTER TABLE "list_data_rows" ADD CONSTRAINT "list_data_rows_list_id_fkey" FOREIGN KEY ("list_id") REFERENCES "lists"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "list_data_rows" ADD CONSTRAINT "list_data_rows_created_by_fkey" FOREIGN KEY ("created_by") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;
