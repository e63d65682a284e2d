"""A Prisma project and its database, with rows in the ledger as Prisma writes them in each case (measured with its own engine)."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

LEDGER = """
CREATE TABLE "_prisma_migrations" (
    id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL,
    logs TEXT, rolled_back_at TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)"""
SCRIPTS = {
    "1_init": 'CREATE TYPE "Role" AS ENUM (\'A\', \'B\');\nCREATE TABLE "User" (\n    "id" SERIAL NOT NULL,\n    "email" TEXT NOT NULL,\n\n'
    '    CONSTRAINT "User_pkey" PRIMARY KEY ("id")\n);\nCREATE UNIQUE INDEX "User_email_key" ON "User"("email");\n',
    "2_posts": 'CREATE TABLE "Post" (\n    "id" SERIAL NOT NULL,\n    "author" INTEGER NOT NULL,\n\n'
    '    CONSTRAINT "Post_pkey" PRIMARY KEY ("id")\n);\n-- AddForeignKey\nALTER TABLE "Post" ADD CONSTRAINT "Post_author_fkey" '
    'FOREIGN KEY ("author") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;\n',
    "3_names": 'ALTER TABLE "User" ADD COLUMN     "name" TEXT;\nALTER TABLE "Post" ADD COLUMN     "title" TEXT, ADD COLUMN "body" TEXT;\n',
}
ERROR = 'A migration failed to apply.\n\nDatabase error code: 42P07\n\nDatabase error:\nERROR: relation "Post" already exists\n'


class PrismaProject:
    """Migrations in `folder`/migrations and the database at `url`; `schema` is the one that `?schema=` names."""

    def __init__(self, url: str, folder: Path, *, schema: str = "public", ledger: bool = True) -> None:
        self.url = url
        self.schema = schema
        self.migrations = folder / "prisma" / "migrations"
        self.migrations.mkdir(parents=True)
        (self.migrations / "migration_lock.toml").write_text('provider = "postgresql"\n')
        for name, sql in SCRIPTS.items():
            self.write(name, sql)
        self._clock = datetime(2025, 1, 1, tzinfo=UTC)
        if schema != "public":
            self.execute(f'CREATE SCHEMA "{schema}"')
        if ledger:
            self.execute(LEDGER)

    def execute(self, sql: str, *values: Any) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'SET search_path = "{self.schema}"'.encode())
            connection.execute(sql.encode(), values or None)

    def file(self, name: str) -> Path:
        return self.migrations / name / "migration.sql"

    def write(self, name: str, sql: str) -> None:
        self.file(name).parent.mkdir(exist_ok=True)
        self.file(name).write_bytes(sql.encode())

    def remove(self, name: str) -> None:
        self.file(name).unlink()
        self.file(name).parent.rmdir()

    def run(self, name: str) -> None:
        """The script alone."""
        self.execute(self.file(name).read_text())

    def deploy(self, *names: str) -> None:
        """As `prisma migrate deploy`."""
        for name in names:
            self.run(name)
            self.row(name)

    def row(self, name: str, *, finished: bool = True, rolled_back: bool = False, steps: int = 1, logs: str | None = None) -> None:
        self._clock += timedelta(minutes=1)
        checksum = hashlib.sha256(self.file(name).read_bytes()).hexdigest()
        end = self._clock + timedelta(seconds=1)
        self.execute(
            'INSERT INTO "_prisma_migrations" (id, checksum, finished_at, migration_name, logs, rolled_back_at, started_at, '
            "applied_steps_count) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            *(str(uuid.uuid4()), checksum, end if finished else None, name, logs, end if rolled_back else None, self._clock, steps),
        )

    def fail(self, name: str, logs: str | None = ERROR) -> None:
        """As a `deploy` that fails, or with no logs one that was interrupted."""
        self.row(name, finished=False, steps=0, logs=logs)

    def roll_back(self, name: str) -> None:
        """As `prisma migrate resolve --rolled-back`."""
        self.execute('UPDATE "_prisma_migrations" SET rolled_back_at = now() WHERE migration_name = %s AND finished_at IS NULL', name)

    def resolve(self, name: str) -> None:
        """As `prisma migrate resolve --applied`."""
        self.roll_back(name)
        self.row(name, steps=0)
