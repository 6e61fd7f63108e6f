"""Settings: one table, nearest source wins, an unknown key suggests the known one."""

from pathlib import Path

import pytest

from broadcaster.config import SETTINGS, load
from broadcaster.errors import ConfigError


def test_defaults_hold_when_nothing_is_set(tmp_path: Path) -> None:
    settings = load(environ={}, home=tmp_path)
    assert settings.integer("web.port") == 8000
    assert settings.texts("voice.chain")[0] == "piper"
    assert settings.database_url.endswith("broadcaster.db")


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    (tmp_path / "broadcaster.toml").write_text("[web]\nport = 8001\n", encoding="utf-8")
    assert load(environ={}, home=tmp_path).integer("web.port") == 8001
    environ = {"BROADCASTER_WEB_PORT": "8002"}
    assert load(environ=environ, home=tmp_path).integer("web.port") == 8002
    assert load(environ=environ, home=tmp_path, flags={"web.port": 8003}).integer("web.port") == 8003


def test_a_false_looking_value_still_overrides(tmp_path: Path) -> None:
    (tmp_path / "broadcaster.toml").write_text("[player]\nearly_volume_percent = 0\n", encoding="utf-8")
    assert load(environ={}, home=tmp_path).integer("player.early_volume_percent") == 0


@pytest.mark.parametrize(
    ("toml", "hint"),
    [
        ("[web]\nprot = 8000\n", "web.port"),
        ("[wbe]\nport = 8000\n", "web.port"),
        ("[voice]\nchian = ['gtts']\n", "voice.chain"),
    ],
)
def test_an_unknown_setting_suggests_the_nearest_one(tmp_path: Path, toml: str, hint: str) -> None:
    (tmp_path / "broadcaster.toml").write_text(toml, encoding="utf-8")
    with pytest.raises(ConfigError, match=hint):
        load(environ={}, home=tmp_path)


def test_an_unknown_environment_variable_suggests_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="BROADCASTER_WEB_PORT"):
        load(environ={"BROADCASTER_WEB_PROT": "1"}, home=tmp_path)


@pytest.mark.parametrize("value", ["70000", "không", "0"])
def test_an_impossible_port_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="web.port"):
        load(environ={"BROADCASTER_WEB_PORT": value}, home=tmp_path)


def test_a_broken_toml_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "broadcaster.toml").write_text("[web\nport", encoding="utf-8")
    with pytest.raises(ConfigError, match="sai cú pháp"):
        load(environ={}, home=tmp_path)


def test_every_setting_is_explained_in_the_operations_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    missing = [row.key for row in SETTINGS if f"`{row.key}`" not in page]
    assert missing == []
