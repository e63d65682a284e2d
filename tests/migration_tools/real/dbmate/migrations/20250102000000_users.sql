-- migrate:up
CREATE TABLE t_20250102000000_users (id int);

-- migrate:down
DROP TABLE t_20250102000000_users;
