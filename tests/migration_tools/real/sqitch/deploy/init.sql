BEGIN;
CREATE TABLE public.t_init (id int);
COMMIT;
