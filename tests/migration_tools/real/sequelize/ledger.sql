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
-- Name: SequelizeMeta; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public."SequelizeMeta" (
    name character varying(255) NOT NULL
);


--
-- Name: t_20250101000000-init; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public."t_20250101000000-init" (
    id integer
);


--
-- Name: t_20250102000000-users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public."t_20250102000000-users" (
    id integer
);


--
-- Data for Name: SequelizeMeta; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public."SequelizeMeta" (name) FROM stdin;
20250101000000-init.js
20250102000000-users.js
\.


--
-- Data for Name: t_20250101000000-init; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public."t_20250101000000-init" (id) FROM stdin;
\.


--
-- Data for Name: t_20250102000000-users; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public."t_20250102000000-users" (id) FROM stdin;
\.


--
-- Name: SequelizeMeta SequelizeMeta_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public."SequelizeMeta"
    ADD CONSTRAINT "SequelizeMeta_pkey" PRIMARY KEY (name);


--
-- PostgreSQL database dump complete
--


