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
-- Name: ar_internal_metadata; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ar_internal_metadata (
    key character varying NOT NULL,
    value character varying,
    created_at timestamp(6) without time zone NOT NULL,
    updated_at timestamp(6) without time zone NOT NULL
);


--
-- Name: schema_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_migrations (
    version character varying NOT NULL
);


--
-- Name: t_add_users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.t_add_users (
    id bigint NOT NULL,
    name character varying
);


--
-- Name: t_add_users_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.t_add_users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: t_add_users_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.t_add_users_id_seq OWNED BY public.t_add_users.id;


--
-- Name: t_init; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.t_init (
    id bigint NOT NULL,
    name character varying
);


--
-- Name: t_init_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.t_init_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: t_init_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.t_init_id_seq OWNED BY public.t_init.id;


--
-- Name: t_add_users id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.t_add_users ALTER COLUMN id SET DEFAULT nextval('public.t_add_users_id_seq'::regclass);


--
-- Name: t_init id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.t_init ALTER COLUMN id SET DEFAULT nextval('public.t_init_id_seq'::regclass);


--
-- Data for Name: ar_internal_metadata; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.ar_internal_metadata (key, value, created_at, updated_at) FROM stdin;
environment	default_env	2026-11-30 01:13:26.938579	2026-11-30 01:13:26.938579
\.


--
-- Data for Name: schema_migrations; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.schema_migrations (version) FROM stdin;
20250101000000
20250102000000
\.


--
-- Data for Name: t_add_users; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.t_add_users (id, name) FROM stdin;
\.


--
-- Data for Name: t_init; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.t_init (id, name) FROM stdin;
\.


--
-- Name: t_add_users_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.t_add_users_id_seq', 1, false);


--
-- Name: t_init_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.t_init_id_seq', 1, false);


--
-- Name: ar_internal_metadata ar_internal_metadata_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ar_internal_metadata
    ADD CONSTRAINT ar_internal_metadata_pkey PRIMARY KEY (key);


--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);


--
-- Name: t_add_users t_add_users_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.t_add_users
    ADD CONSTRAINT t_add_users_pkey PRIMARY KEY (id);


--
-- Name: t_init t_init_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.t_init
    ADD CONSTRAINT t_init_pkey PRIMARY KEY (id);


--
-- PostgreSQL database dump complete
--


