"""A device that swallows all sound is no sound card, whatever the system calls it."""

from types import SimpleNamespace

import pytest

from broadcaster.playout.outputs import soundcard


def test_the_null_device_is_not_counted_as_a_sound_card(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("Discard all samples (playback) or generate zero samples (capture)", "null", "Loa USB")
    miniaudio = pytest.importorskip("miniaudio")
    devices = SimpleNamespace(get_playbacks=lambda: [{"name": name} for name in names])
    monkeypatch.setattr(miniaudio, "Devices", lambda backends: devices)
    assert soundcard.playback_devices() == ["Loa USB"]
