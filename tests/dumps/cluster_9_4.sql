--
-- PostgreSQL database cluster dump
--

\connect postgres

SET default_transaction_read_only = off;

SET client_encoding = 'SQL_ASCII';
SET standard_conforming_strings = off;
SET escape_string_warning = off;

--
-- Roles
--

CREATE ROLE bob;
ALTER ROLE bob WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION PASSWORD 'md500000000000000000000000000000000' VALID UNTIL 'infinity';
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION;
ALTER ROLE bob SET work_mem TO '64MB';


--
-- Role memberships
--

GRANT bob TO postgres GRANTED BY postgres;



--
-- Tablespaces
--

CREATE TABLESPACE fast OWNER bob LOCATION '/srv/it\\s';
REVOKE ALL ON TABLESPACE fast FROM PUBLIC;


--
-- Database creation
--

CREATE DATABASE app WITH TEMPLATE = template0 OWNER = bob ENCODING = 'UTF8' LC_COLLATE = 'C' LC_CTYPE = 'C' TABLESPACE = fast;
ALTER DATABASE app SET datestyle TO 'ISO, DMY';
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE template1 TO PUBLIC;


--
-- Per-Database Role Settings 
--

ALTER ROLE bob IN DATABASE app SET search_path TO app, public;


\connect app

SET default_transaction_read_only = off;

--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = off;
SET check_function_bodies = false;
SET client_min_messages = warning;
SET escape_string_warning = off;

SET search_path = public, pg_catalog;

--
-- Name: t; Type: TABLE; Schema: public; Owner: bob; Tablespace: 
--

CREATE TABLE t (
    a text
);


ALTER TABLE public.t OWNER TO bob;

--
-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: bob
--

COPY t (a) FROM stdin;
x
\.


--
-- PostgreSQL database dump complete
--

\connect template1

SET default_transaction_read_only = off;

--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = off;
SET check_function_bodies = false;
SET client_min_messages = warning;
SET escape_string_warning = off;

--
-- PostgreSQL database dump complete
--

--
-- PostgreSQL database cluster dump complete
--

