--liquibase formatted sql

--changeset ann:posts labels:blog
CREATE TABLE posts (id int);
--rollback DROP TABLE posts;

--changeset ann:posts-title
ALTER TABLE posts ADD COLUMN title text;
