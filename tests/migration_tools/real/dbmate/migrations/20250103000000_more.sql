-- migrate:up
CREATE TABLE t_20250103000000_more (id int);

-- migrate:down
DROP TABLE t_20250103000000_more;
