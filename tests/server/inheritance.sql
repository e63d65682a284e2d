-- Children, partitions and typed tables: what pg_dump prints of an inherited column. Servers 15+, runs in one transaction.
CREATE TABLE p (id integer NOT NULL DEFAULT 5, a text DEFAULT 'pa', b text NOT NULL, g integer GENERATED ALWAYS AS (id * 2) STORED, k integer DEFAULT 1,
                CONSTRAINT p_check CHECK (id > 0), CONSTRAINT p_alone CHECK (id > 1) NO INHERIT);
CREATE TABLE c1 (x integer) INHERITS (p);
ALTER TABLE c1 ALTER a DROP DEFAULT;
CREATE TABLE c2 (id integer, a text DEFAULT 'own', g integer, CONSTRAINT c2_own CHECK (a <> '')) INHERITS (p);
ALTER TABLE c2 ALTER id DROP DEFAULT;
CREATE TABLE c3 () INHERITS (p);
ALTER TABLE c3 ALTER k SET NOT NULL, ALTER b SET DEFAULT 'z';
COMMENT ON COLUMN c3.g IS 'an inherited generated column';
CREATE TABLE loose (id integer NOT NULL DEFAULT 5, a text, b text NOT NULL, g integer GENERATED ALWAYS AS (id * 2) STORED, k integer DEFAULT 1,
                    CONSTRAINT p_check CHECK (id > 0));
ALTER TABLE loose INHERIT p;
CREATE TABLE two_parents (own integer) INHERITS (c1, c3);
CREATE TABLE part (id integer NOT NULL DEFAULT 1, v text DEFAULT 'v', at date, CONSTRAINT ck CHECK (id > 0), CONSTRAINT late CHECK (id < 1000)) PARTITION BY LIST (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1);
ALTER TABLE part1 ALTER v DROP DEFAULT;
CREATE TABLE part4 PARTITION OF part FOR VALUES IN (4, 5) PARTITION BY LIST (id);
ALTER TABLE part4 ALTER v DROP DEFAULT;
CREATE TABLE part44 PARTITION OF part4 FOR VALUES IN (4);
CREATE TABLE part2 PARTITION OF part (v DEFAULT 'mine' NOT NULL, CONSTRAINT part2_own CHECK (v <> 'z')) FOR VALUES IN (2);
CREATE TABLE part3 (junk integer, at date, v text, id integer NOT NULL, CONSTRAINT ck CHECK (id > 0), CONSTRAINT late CHECK (id < 1000));
ALTER TABLE part3 DROP COLUMN junk;
ALTER TABLE part ATTACH PARTITION part3 DEFAULT;
ALTER TABLE part ADD CONSTRAINT unproven CHECK (v <> 'q') NOT VALID;
ALTER TABLE part ADD PRIMARY KEY (id);
CREATE INDEX part_v ON part (v);
CREATE TABLE refs (part_id integer REFERENCES part (id)) PARTITION BY RANGE (part_id);
CREATE TABLE refs1 PARTITION OF refs FOR VALUES FROM (0) TO (10);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched AFTER INSERT ON part FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE part1 DISABLE TRIGGER touched;
CREATE TYPE ct AS (a integer, b text);
CREATE TABLE typed OF ct;
CREATE TABLE typed2 OF ct (a WITH OPTIONS NOT NULL DEFAULT 3, PRIMARY KEY (b));
COMMENT ON COLUMN typed.b IS 'of a typed table';
