"""Sequences on disk: whole or not at all, found by their tokens, bounded, private, and gone when they are cleared."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from codette_desktop.domain.models import EngineSettings
from codette_desktop.inference.llama import kv_file, kv_index
from codette_desktop.inference.llama.context import Context, Feed
from codette_desktop.inference.llama.kv_folder import KvFolder, KvUsage
from codette_desktop.inference.llama.kv_index import KvOfModel
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.spill import Spill
from codette_desktop.inference.llama.vocabulary import Tokens

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kv"


@pytest.fixture
def folder(path: Path) -> Iterator[KvFolder]:
    with closing(KvFolder(path)) as opened:
        yield opened


def of(folder: KvFolder, key: str = "model") -> KvOfModel:
    found = folder.of(key)
    assert found is not None
    return found


def tokens(start: int, count: int = 100) -> Tokens:
    return np.arange(start, start + count, dtype=np.int32)


def written(path: Path, *sequences: Tokens, state: bytes = b"state", key: str = "model") -> None:
    """By a process that has ended."""
    with closing(KvFolder(path)) as folder:
        for sequence in sequences:
            of(folder, key).put(sequence, state, time.time())


def test_what_one_process_has_written_the_next_finds(path: Path, folder: KvFolder) -> None:
    written(path, tokens(0), tokens(1000), state=b"some state")
    found = of(folder).fetch(tokens(1000, 300), 64)
    assert found is not None
    assert (found.length, found.state) == (100, b"some state")
    assert found.tokens.tolist() == tokens(1000).tolist()
    assert of(folder).fetch(tokens(1000, 300), 101) is None
    assert of(folder, "another model").fetch(tokens(1000, 300), 64) is None
    assert folder.of("") is None


def test_a_prompt_that_is_there_to_its_end_leaves_one_token_to_be_read(path: Path, folder: KvFolder) -> None:
    written(path, tokens(0))
    found = of(folder).fetch(tokens(0), 64)
    assert found is not None
    assert found.length == 99


@pytest.mark.parametrize("cut", [1, 20, 40, 200, 500, 700])
def test_a_file_that_is_cut_short_is_ignored_and_removed(path: Path, folder: KvFolder, cut: int) -> None:
    written(path, tokens(0), state=b"s" * 300)
    (file,) = path.glob("*.kv")
    file.write_bytes(file.read_bytes()[:-cut])
    assert of(folder).fetch(tokens(0, 200), 64) is None
    assert folder.usage() == KvUsage(0, 0)


@pytest.mark.parametrize("place", range(0, 850, 17))
def test_a_file_with_another_byte_anywhere_is_ignored_and_removed(path: Path, folder: KvFolder, place: int) -> None:
    written(path, tokens(0), state=b"s" * 300)
    (file,) = path.glob("*.kv")
    data = bytearray(file.read_bytes())
    data[place % len(data)] ^= 0x10
    file.write_bytes(data)
    assert of(folder).fetch(tokens(0, 200), 64) is None
    of(folder, "anything").fetch(tokens(0), 64)
    assert folder.usage().files == 0 or b'"key": "model"' not in data  # of some other model, by what it says


def test_a_file_altered_after_it_was_found_is_not_given_out(path: Path, folder: KvFolder) -> None:
    written(path, tokens(0), state=b"s" * 300)
    mine = of(folder)
    assert mine.fetch(tokens(0, 200), 64) is not None
    (file,) = path.glob("*.kv")
    file.write_bytes(file.read_bytes().replace(b"ssss", b"sssx", 1))
    assert mine.fetch(tokens(0, 200), 64) is None
    assert not file.exists()
    assert mine.fetch(tokens(0, 200), 64) is None


def test_a_longer_sequence_takes_the_place_of_what_it_begins_with(path: Path, folder: KvFolder) -> None:
    written(path, tokens(0), tokens(0, 150), tokens(0, 150), tokens(500))
    assert folder.usage().files == 2
    found = of(folder).fetch(tokens(0, 400), 64)
    assert found is not None
    assert found.length == 150


def test_the_least_recently_used_files_leave(path: Path) -> None:
    with closing(KvFolder(path, lambda: 1)) as small:
        for start, ago in ((0, 30), (1000, 10), (2000, 20)):
            of(small).put(tokens(start), b"x" * 450_000, time.time() - ago)
    with closing(KvFolder(path, lambda: 1)) as small:
        kept = [start for start in (0, 1000, 2000) if of(small).fetch(tokens(start, 200), 64)]
    assert kept == [1000, 2000]
    assert KvFolder(path).usage().size_bytes <= 1_000_000


def test_what_is_larger_than_everything_may_be_is_not_written(path: Path) -> None:
    with closing(KvFolder(path, lambda: 1)) as small:
        of(small).put(tokens(0), b"x" * 1_000_001, time.time())
    assert KvFolder(path).usage().files == 0


def test_nothing_is_kept_where_it_is_switched_off(path: Path) -> None:
    written(path, tokens(0))
    with closing(KvFolder(path, lambda: 0)) as off:
        of(off).put(tokens(1000), b"state", time.time())
    assert KvFolder(path).usage().files == 0


def test_never_more_than_a_twentieth_of_the_free_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = SimpleNamespace(free=20_000)
    monkeypatch.setattr(kv_index.shutil, "disk_usage", lambda _path: free)  # a disk as full cannot be had
    written(path, tokens(0), state=b"x" * 1_200)
    assert KvFolder(path).usage().files == 0
    free.free = 60_000
    written(path, tokens(0), state=b"x" * 1_200)
    assert KvFolder(path).usage().files == 1


def test_what_nobody_has_used_for_a_week_leaves(path: Path, folder: KvFolder) -> None:
    written(path, tokens(0), tokens(1000))
    oldest = min(path.glob("*.kv"), key=lambda file: kv_file.read_head(file).tokens[0])
    week_ago = time.time() - kv_index.KEPT_FOR_S - 5
    os.utime(oldest, (week_ago, week_ago))
    assert of(folder).fetch(tokens(0, 200), 64) is None
    assert of(folder).fetch(tokens(1000, 200), 64) is not None


@posix
def test_only_the_owner_may_read_it(path: Path) -> None:
    path.mkdir(mode=0o755)
    written(path, tokens(0))
    assert path.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in path.iterdir()} == {0o600}


def test_clearing_removes_everything_and_what_was_used_before_is_not_written_later(
    path: Path, folder: KvFolder
) -> None:
    written(path, tokens(0), tokens(1000))
    mine, before = of(folder), time.time()
    time.sleep(0.002)
    assert folder.clear().result(5) == 2
    assert mine.fetch(tokens(0, 200), 64) is None
    time.sleep(0.002)
    mine.put(tokens(2000), b"state", before)
    mine.put(tokens(3000), b"state", time.time())
    folder.close()
    assert [kv_file.read_head(file).tokens[0] for file in path.glob("*.kv")] == [3000]


def test_another_process_that_clears_is_heeded(path: Path, folder: KvFolder) -> None:
    mine, before = of(folder), time.time()
    time.sleep(0.002)
    KvFolder(path).clear().result(5)
    mine.put(tokens(0), b"state", before)
    folder.close()
    assert folder.usage().files == 0


@pytest.mark.allow_log("not kept on disk any more")
def test_a_folder_that_cannot_be_used_is_told_once_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "kv").write_text("a file is in the way")
    with closing(KvFolder(tmp_path / "kv")) as folder:
        mine = of(folder)
        mine.put(tokens(0), b"state", time.time())
        assert mine.fetch(tokens(0, 200), 64) is None
    assert folder.usage() == KvUsage()
    assert folder.clear().result(5) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
@pytest.mark.allow_log("No space left")
def test_a_full_disk_leaves_no_half_file(path: Path, folder: KvFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = of(folder)
    mine.put(tokens(0), b"state", time.time())
    folder.close()
    write_all = kv_file._write_all

    def full(file: object, data: bytes) -> None:
        with Path("/dev/full").open("wb", buffering=0) as device:
            write_all(device if data == b"too much" else file, data)

    monkeypatch.setattr(kv_file, "_write_all", full)
    with closing(KvFolder(path)) as again:
        of(again).put(tokens(1000), b"too much", time.time())
        of(again).put(tokens(2000), b"state", time.time())
    assert len(list(path.iterdir())) == 1  # what was there before, and nothing since


def test_what_leaves_memory_goes_below_and_comes_back(path: Path) -> None:
    with closing(KvFolder(path)) as folder:
        spill = Spill(100, of(folder))
        for start in (0, 1000, 2000):
            spill.put(tokens(start), b"%04d" % start + b"x" * 46)
        assert spill.size_bytes == 100
    with closing(KvFolder(path)) as folder:
        spill = Spill(100, of(folder))
        spill.fetch(tokens(0, 200), 50)  # 50 tokens more would be worth less than reading the file
        assert spill.size_bytes == 0
        spill.fetch(tokens(0, 200), 30)
        found = spill.best(tokens(0, 200))
        assert found is not None
        assert found.state[:4] == b"0000"
        spill.put(tokens(0, 300), b"longer")
        spill.flush()
    assert [len(kv_file.read_head(file).tokens) for file in path.glob("*.kv")] == [300]


def test_a_state_from_disk_gives_the_very_bits_that_reading_again_gives(tiny: Model, path: Path) -> None:
    prompt = tiny.vocabulary.tokenise("the time of day and the memory of a model " * 30, special=False)
    settings = EngineSettings(threads=1)

    def read(context: Context, part: Tokens) -> bytes:
        for at in range(0, len(part), context.chunk):
            assert context.decode([Feed(0, part[at : at + context.chunk])])
        return context.logits().tobytes()

    with closing(Context(tiny, settings, 1024)) as context:
        read(context, prompt[:200])
        written(path, prompt[:200], state=context.save(0))
        expected = read(context, prompt[200:])
    with closing(Context(tiny, settings, 1024)) as context, closing(KvFolder(path)) as folder:
        found = of(folder).fetch(prompt, 64)
        assert found is not None
        assert context.restore(0, found.state, found.tokens.tolist())
        assert read(context, prompt[200:]) == expected


def test_what_was_cleared_is_not_written_again_for_being_looked_at(path: Path) -> None:
    with closing(KvFolder(path)) as folder:
        spill = Spill(below=of(folder))
        spill.put(tokens(0), b"said before", time.time())
        folder.make()
        folder.clear().result()
        assert spill.best(tokens(0, 3)) is not None  # another conversation that begins alike
        spill.flush()
    assert KvFolder(path).usage() == KvUsage(0, 0)


def test_clearing_takes_half_written_files_and_less_room_takes_whole_ones(path: Path) -> None:
    room = 100
    with closing(KvFolder(path, lambda: room)) as folder:
        of(folder).put(tokens(0), b"state", time.time())
    assert KvFolder(path).usage().files == 1
    room = 0
    with closing(KvFolder(path, lambda: room)) as folder:
        of(folder).put(tokens(1000), b"state", time.time())
    assert KvFolder(path).usage().files == 0
    part = path / "deadbeef.part"
    part.write_bytes(b"half")
    KvFolder(path).clear().result()
    assert not part.exists()


def test_what_could_not_be_written_in_time_is_left_alone_once_the_folder_is_closed(path: Path) -> None:
    asked_late: list[bool] = []
    closed = False

    def most_mb() -> int:  # stands for a setting: nobody may read one from a store that is closed
        asked_late.append(closed)
        time.sleep(0.05)
        return 100

    folder = KvFolder(path, most_mb)
    kept = of(folder)
    for number in range(20):
        kept.put(tokens(1000 * number), b"x" * 1_000, time.time())
    folder.close(0.1)
    closed = True
    time.sleep(0.3)
    assert asked_late
    assert asked_late.count(True) <= 1  # what had begun
