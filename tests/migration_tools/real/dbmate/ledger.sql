--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: schema_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_migrations (
    version character varying NOT NULL
);


--
-- Name: t_20250101000000_init; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.t_20250101000000_init (
    id integer
);


--
-- Name: t_20250102000000_users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.t_20250102000000_users (
    id integer
);


--
-- Data for Name: schema_migrations; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.schema_migrations (version) FROM stdin;
20250101000000
20250102000000
\.


--
-- Data for Name: t_20250101000000_init; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.t_20250101000000_init (id) FROM stdin;
\.


--
-- Data for Name: t_20250102000000_users; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.t_20250102000000_users (id) FROM stdin;
\.


--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);


--
-- PostgreSQL database dump complete
--


