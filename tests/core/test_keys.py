"""Secrets are made once, kept private, and two starting processes agree on them."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from broadcaster.store.keys import load_keys


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first, second = load_keys(tmp_path), load_keys(tmp_path)
    assert first.link_key == second.link_key
    assert first.public_key_hex == second.public_key_hex
    assert first.link_key != first.session_key
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_starting_together_gives_every_process_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: load_keys(tmp_path).link_key, range(16)))
    assert len(set(found)) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.key", "session.key", "signing.key"]
