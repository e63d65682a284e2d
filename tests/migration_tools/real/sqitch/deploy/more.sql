BEGIN;
CREATE TABLE public.more (id int);
COMMIT;
