"""What incremental backups take: chunks that several share are counted once."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pgaudit_kit.dumps.incremental.chunk_bytes import digest_of
from pgaudit_kit.dumps.incremental.nodes import write_chunk_list
from pgaudit_kit.operations.store.chunk_sizes import ChunkSizes, chunk_sizes
from pgaudit_kit.operations.store.list_backups import list_store
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.packs import PackWriter
from pgaudit_kit.operations.store.prune import prune
from pgaudit_kit.operations.store.retention import Retention, plan
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.stored_chunks import StoredChunks
from pgaudit_kit.operations.store.used_chunks import UsedChunks
from pgaudit_kit.records.chunks import Chunk, ChunkedTable, ChunkKind, IncrementalIndex
from pgaudit_kit.records.stored_backup import StoredBackup
from pgaudit_kit.records.table_data import TableName
from tests.operations.store.conftest import AT, put
from tests.operations.store.small_backups import back_up, rows
from tests.packed_chunks import pack_chunk

DAY = timedelta(days=1)


def stored(number: int) -> StoredBackup:
    at = datetime(2026, 1, number, tzinfo=UTC)
    return StoredBackup(f"b{number}", f"b{number}.inc", "app", "app", at, 10, 10, "", "incremental")


def kept(limit: int, sizes: ChunkSizes | None) -> set[str]:
    fates = plan([stored(n) for n in (1, 2, 3)], Retention(max_total_size_bytes=limit), datetime(2026, 2, 1, tzinfo=UTC), sizes)
    return {fate.backup.name for fate in fates if fate.is_kept}


def test_of_the_chunks_of_a_group_each_counts_once_for_the_newest_backup_that_uses_it() -> None:
    a, b, c = b"a", b"b", b"c"
    sizes = ChunkSizes({"b3.inc": frozenset({a}), "b2.inc": frozenset({a, b}), "b1.inc": frozenset({a, b, c})}, {a: 100, b: 20, c: 7})
    assert kept(110, sizes) == {"b3"}
    assert kept(139, sizes) == {"b3"}
    assert kept(140, sizes) == {"b3", "b2"}
    assert kept(156, sizes) == {"b3", "b2"}
    assert kept(157, sizes) == {"b3", "b2", "b1"}
    assert kept(30, None) == {"b3", "b2", "b1"}
    assert sizes.own() == {"b3.inc": 0, "b2.inc": 0, "b1.inc": 7}


def test_a_listing_says_what_is_a_backups_own_and_what_it_shares(any_store: Store) -> None:
    back_up(any_store, AT, {"t": rows(*range(100))})
    back_up(any_store, AT + DAY, {"t": rows(*range(100), *range(500, 510))})
    put(any_store, AT + 2 * DAY)
    listing = list_store(any_store)
    plain, second, first = listing.to_dict()["backups"]
    assert "own_chunks_bytes" not in plain
    assert 0 < second["own_chunks_bytes"] < second["shared_chunks_bytes"]
    assert first["shared_chunks_bytes"] == second["shared_chunks_bytes"]
    packs = any_store.packs.folder.sizes()
    sizes = chunk_sizes(any_store, any_store.backups())
    all_of_them = sum(sizes.stored[d] for d in frozenset().union(*sizes.used.values()))
    assert all_of_them == sum(size - 24 for file, size in packs.items() if file.endswith(".pack"))  # without what makes its name its own


def test_max_total_size_counts_packs_once(any_store: Store) -> None:
    for day in range(3):
        back_up(any_store, AT + day * DAY, {"t": rows(*range(100 + day))})
    sizes = chunk_sizes(any_store, any_store.backups())
    files = sum(b.size_bytes for b in any_store.backups())
    all_of_them = sum(sizes.stored[d] for d in frozenset().union(*sizes.used.values()))
    assert not prune(any_store, Retention(max_total_size_bytes=files + all_of_them), dry_run=True).deleted
    assert [f.is_kept for f in prune(any_store, Retention(max_total_size_bytes=files + all_of_them), dry_run=True).fates] == [True] * 3
    one_less = Retention(max_total_size_bytes=files + all_of_them - 1)
    assert [f.is_kept for f in prune(any_store, one_less, dry_run=True).fates] == [True, True, False]


def test_what_many_backups_share_is_held_once(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store", create=True)
    writer = PackWriter(store.packs)
    nodes = []
    for number in range(100):
        listed = write_chunk_list(Chunk(digest_of(ChunkKind.ROWS, b"%d %d" % (number, n)), 1) for n in range(300))
        nodes.append(Chunk(digest_of(ChunkKind.LIST, listed), 300))
        writer.add(ChunkKind.LIST, nodes[-1].digest, pack_chunk(listed, level=1), size_bytes=len(listed))
    writer.flush()
    index = IncrementalIndex("0", (ChunkedTable(1, TableName("public", "t"), ("a",), "", 1, tuple(nodes)),))
    chunks, used = StoredChunks(store.packs), UsedChunks()
    tracemalloc.start()
    for number in range(30):
        used.add(f"b{number}.inc", index, chunks)
    assert len(used.live) == 100 + 30_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 15_000_000  # a set of each would take 60 million bytes more
    assert used.by_file["b29.inc"] == used.live
