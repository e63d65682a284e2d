-- migrate:up
CREATE TABLE t_20250101000000_init (id int);

-- migrate:down
DROP TABLE t_20250101000000_init;
