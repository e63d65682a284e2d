"""What pg_restore says over several connections comes mixed: no entry is blamed for another one's error."""

from __future__ import annotations

from pgaudit_kit.operations.rehearsals.load_archive import problems_in
from pgaudit_kit.records.toc import TocEntry

TABLE = TocEntry("TABLE", "t", "public", "me", 1, "pre-data", definition="CREATE TABLE public.t (a integer, b no_such_type);\n\n")
INDEX = TocEntry("INDEX", "t_a", "public", "me", 2, "post-data", definition="CREATE INDEX t_a ON public.t USING btree (f(a));\n\n\n")
KEY = TocEntry("CONSTRAINT", "t_key", "public", "me", 3, "post-data", definition="ALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_key;\n\n")
KEY_2 = TocEntry("CONSTRAINT", "t_2", "public", "me", 4, "post-data", definition="ALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_2;\n\n")
ROWS = TocEntry("TABLE DATA", "t", "public", "me", 5, "data", copy_statement="COPY public.t (a) FROM stdin;\n", has_data=True)
SAME_NAME = TocEntry("TABLE DATA", "t", "other", "me", 6, "data", copy_statement="COPY other.t (a) FROM stdin;\n", has_data=True)
ENTRIES = {e.dump_id or 0: e for e in (TABLE, INDEX, KEY, KEY_2, ROWS, SAME_NAME)}


def error(message: str, command: str = "") -> str:
    told = f"Command was: {command}" if command else ""
    return f"pg_restore: error: could not execute query: ERROR:  {message}\n{told}\n"


def entry(found: TocEntry) -> str:
    return f"pg_restore: from TOC entry {found.dump_id}; 1259 16400 {found.desc} {found.tag} me\n"


def places(words: str, *, mixed: bool) -> list[int]:
    return [p.place for p in problems_in(words, ENTRIES, mixed=mixed)]


def test_two_errors_behind_the_lines_of_both_entries_are_told_apart_by_their_commands() -> None:
    words = entry(INDEX) + entry(KEY) + error("no function f", INDEX.definition or "") + error("bad key", KEY.definition or "")
    assert places(words, mixed=True) == [2, 3]
    swapped = entry(INDEX) + entry(KEY) + error("bad key", KEY.definition or "") + error("no function f", INDEX.definition or "")
    assert places(swapped, mixed=True) == [3, 2]


def test_what_no_command_tells_is_laid_on_nobody() -> None:
    words = entry(INDEX) + entry(KEY) + error("deadlock detected") + error("permission denied", "ALTER INDEX public.t_a OWNER TO me;")
    assert places(words, mixed=True) == [0, 0]
    assert [p.what for p in problems_in(words, ENTRIES, mixed=True)] == ["an entry that is not told", "ALTER INDEX public.t_a OWNER TO me;"]
    assert places(words, mixed=False) == [3, 3], "over one connection it is the one that was told last"


def test_two_tables_of_one_name_are_not_taken_for_each_other() -> None:
    copied = 'pg_restore: error: COPY failed for table "t": ERROR:  invalid input syntax\n'
    assert places(entry(SAME_NAME) + copied, mixed=True) == [0]
    assert places(entry(SAME_NAME) + copied, mixed=False) == [6]


def test_what_comes_before_the_rows_is_restored_alone() -> None:
    words = entry(TABLE) + error('type "no_such_type" does not exist', "ALTER TABLE public.t OWNER TO me;")
    assert places(words, mixed=True) == [1]
