"""The players' interface: who is let in, what is answered, and that its documents tell the truth."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from broadcaster.delivery.receivers import add_receiver, issue_token, open_pairing, revoke
from broadcaster.model import AsRunEvent
from broadcaster.playout.plan import read_manifest
from broadcaster.schedule.timekeeping import note
from broadcaster.signing import verify
from broadcaster.store.tables import Jingle
from tests.support.receivers import Studio, mp3, studio
from tests.support.schemas import faults

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ME = "/api/v1/receivers/me"


class Time:
    now = NOW


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def station(tmp_path: Path, time: Time) -> Iterator[Studio]:
    with studio(tmp_path, now=lambda: time.now) as opened:
        yield opened


@pytest.fixture
def client(station: Studio) -> FlaskClient:
    return station.app().test_client()


@pytest.fixture
def token(station: Studio) -> dict[str, str]:
    return {"Authorization": f"Bearer {station.token}"}


def event(sequence: int, airing: str = "a", **more: Any) -> dict[str, Any]:
    row = {
        "sequence": sequence, "airing_id": airing, "event": "started", "at": "2026-11-24T03:00:00+00:00",
        "offset_ms": 0, "sha256": "", "reason": "",
    }  # fmt: skip
    return row | more


# ------------------------------------------------------------------------------------ who is let in


@pytest.mark.parametrize(("method", "path"), [
    ("GET", ME), ("GET", f"{ME}/doorbell"), ("GET", f"{ME}/manifest"), ("POST", f"{ME}/events"),
    ("POST", f"{ME}/heartbeat"),
])  # fmt: skip
def test_nothing_of_a_receiver_is_open_without_its_token(
    station: Studio, client: FlaskClient, token: dict[str, str], method: str, path: str
) -> None:
    for wrong in (
        {},
        {"Authorization": "Bearer sai"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer"},
    ):
        answer = client.open(path, method=method, headers=wrong, json={"events": []})
        assert answer.status_code == 401
        assert "ghép nối" in answer.json["message"]
    with station.db.writing() as session:
        revoke(session, station.receiver_id, now=NOW)
    assert client.open(path, method=method, headers=token, json={"events": []}).status_code == 403


def test_a_short_code_pairs_once_and_gives_the_key_to_pin(station: Studio, client: FlaskClient) -> None:
    with station.db.writing() as session:
        code = open_pairing(session, station.receiver_id, now=NOW)
    typed = f" {code[:4].upper()}-{code[4:]} "
    answer = client.post("/api/v1/receivers/pair", json={"code": typed})
    assert answer.status_code == 200
    assert answer.json["public_key"] == station.keys.public_key_hex
    assert answer.json["sequence"] == 0
    fresh = {"Authorization": f"Bearer {answer.json['token']}"}
    assert client.get(f"{ME}/doorbell", headers=fresh).status_code == 200
    assert client.get(ME, headers=fresh).json["receiver"] == station.receiver_id
    again = client.post("/api/v1/receivers/pair", json={"code": code})
    assert (again.status_code, "đã dùng" in again.json["message"]) == (404, True)
    old = {"Authorization": f"Bearer {station.token}"}
    assert client.get(f"{ME}/doorbell", headers=old).status_code == 401


def test_a_code_lives_for_a_quarter_of_an_hour(station: Studio, client: FlaskClient, time: Time) -> None:
    with station.db.writing() as session:
        code = open_pairing(session, station.receiver_id, now=NOW)
    time.now = NOW + timedelta(minutes=16)
    assert client.post("/api/v1/receivers/pair", json={"code": code}).status_code == 410


def test_guessing_codes_is_stopped_for_ten_minutes(client: FlaskClient, time: Time) -> None:
    codes = [
        client.post("/api/v1/receivers/pair", json={"code": f"aaaaaaa{n}"}).status_code for n in range(12)
    ]
    assert codes == [404] * 10 + [429] * 2
    time.now = NOW + timedelta(minutes=11)
    assert client.post("/api/v1/receivers/pair", json={"code": "aaaaaaaa"}).status_code == 404


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"code": 5}', '{"code": ""}', '{"code": "' + "a" * 50 + '"}']
)
def test_a_pairing_of_another_shape_is_refused(client: FlaskClient, body: str) -> None:
    answer = client.post("/api/v1/receivers/pair", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["message"]


# ------------------------------------------------------------------------------------ plan


def test_a_station_that_woke_up_years_ago_gives_out_no_plan_and_says_why(
    station: Studio, client: FlaskClient, token: dict[str, str], time: Time
) -> None:
    station.airing(NOW + timedelta(hours=2), seed=1)
    with station.db.writing() as session:
        note(session, NOW)
    time.now = NOW - timedelta(days=2000)
    answer = client.get(f"{ME}/manifest", headers=token)
    assert answer.status_code == 503
    assert answer.json["message"].startswith("Giờ của máy đài đang là")
    time.now = NOW + timedelta(minutes=1)
    assert client.get(f"{ME}/manifest", headers=token).status_code == 200


def test_the_manifest_is_signed_described_and_read_by_the_player(
    station: Studio, client: FlaskClient, token: dict[str, str]
) -> None:
    alert = station.blobs.put(b"fLaC alert", suffix="flac")
    with station.db.writing() as session:
        session.add(
            Jingle(
                station_id=station.commune.station.id, kind="alert", title="báo động", sha256=alert, duration_ms=3000,
                source="thử", licence="CC0-1.0", created_at=NOW,
            )
        )  # fmt: skip
    near = station.airing(NOW + timedelta(hours=2), seed=1)
    station.airing(NOW + timedelta(hours=3), rendered=False)
    station.airing(NOW + timedelta(hours=73))
    station.airing(NOW - timedelta(hours=169))
    gone = station.airing(NOW - timedelta(hours=3))
    answer = client.get(f"{ME}/manifest", headers=token)
    assert verify(station.keys.public_key_hex, answer.data, answer.headers["Manifest-Signature"])
    assert faults("manifest", json.loads(answer.data)) == []
    manifest = read_manifest(answer.data)
    assert [one.id for one in manifest.airings if one.file] == [gone, near]
    assert len(manifest.airings) == 3
    assert manifest.valid_until == NOW + timedelta(hours=73), "72, and the hour until the next plan"
    assert [clip.sha256 for clip in manifest.clips] == [alert]
    file = manifest.airing(near).file  # type: ignore[union-attr]
    assert file is not None
    assert (file.sha256, file.size_bytes) == (station.file_of(near)[0], len(mp3(1, 1.0)))


def test_doorbell_and_manifest_answer_304_until_the_plan_or_the_hour_changes(
    station: Studio, client: FlaskClient, token: dict[str, str], time: Time
) -> None:
    def asked(path: str, tag: str) -> int:
        return client.get(f"{ME}/{path}", headers=token | {"If-None-Match": tag}).status_code

    tag = client.get(f"{ME}/manifest", headers=token).headers["ETag"]
    assert client.get(f"{ME}/doorbell", headers=token).headers["ETag"] == tag
    time.now = NOW + timedelta(minutes=59)
    assert [asked(path, tag) for path in ("doorbell", "manifest")] == [304, 304]
    station.airing(NOW + timedelta(hours=2))
    assert [asked(path, tag) for path in ("doorbell", "manifest")] == [200, 200]
    tag = client.get(f"{ME}/manifest", headers=token).headers["ETag"]
    time.now = NOW + timedelta(minutes=60)
    assert [asked(path, tag) for path in ("doorbell", "manifest")] == [200, 200]


# ------------------------------------------------------------------------------------ reports


def test_events_are_taken_once_and_a_gap_is_told(
    station: Studio, client: FlaskClient, token: dict[str, str]
) -> None:
    def told(*rows: dict[str, Any]) -> Any:
        body = {"events": list(rows)}
        assert faults("events", body) == []
        answer = client.post(f"{ME}/events", headers=token, json=body)
        return answer.json.get("accepted", answer.status_code)

    assert told() == 0
    assert told(event(1), event(2, event="finished")) == 2
    assert told(event(1), event(2, event="finished")) == 2
    assert told(event(4)) == 2
    assert told(event(3)) == 4
    assert told(event(3, event="missed")) == 409
    assert [row.sequence for row in station.as_run()] == [1, 2, 3, 4]
    assert station.as_run()[1].event is AsRunEvent.FINISHED
    assert station.as_run()[0].received_at == NOW


@pytest.mark.parametrize("row", [
    {}, event(0), event(-1), event(True), event(1, event="nổ"), event(1, at="hôm nay"),
    event(1, at="2026-11-24T03:00:00"), event(1, offset_ms=-1), event(1, sha256="../x"), event(1, airing="x" * 37),
    event(1, reason="x" * 1001), event(2**40), event(1, at=5),
])  # fmt: skip
def test_a_malformed_event_is_refused_and_the_whole_batch_with_it(
    station: Studio, client: FlaskClient, token: dict[str, str], row: dict[str, Any]
) -> None:
    answer = client.post(f"{ME}/events", headers=token, json={"events": [event(9), row]})
    assert answer.status_code == 400
    assert "nhật ký" in answer.json["message"]
    assert station.as_run() == []


def test_reports_that_are_too_large_are_refused(client: FlaskClient, token: dict[str, str]) -> None:
    many = [event(n) for n in range(1, 502)]
    assert client.post(f"{ME}/events", headers=token, json={"events": many}).status_code == 400
    assert client.post(f"{ME}/events", headers=token, json={"events": "x" * 600_000}).status_code == 413
    assert client.post(f"{ME}/heartbeat", headers=token, json={"x": "x" * 20_000}).status_code == 413


def test_two_receivers_count_their_events_apart(
    station: Studio, client: FlaskClient, token: dict[str, str]
) -> None:
    with station.db.writing() as session:
        other = issue_token(
            add_receiver(session, station_id=station.commune.station.id, name="Cụm loa", now=NOW)
        )
    body = {"events": [event(1)]}
    assert client.post(f"{ME}/events", headers=token, json=body).json == {"accepted": 1}
    second = {"Authorization": f"Bearer {other}"}
    assert client.post(f"{ME}/events", headers=second, json=body).json == {"accepted": 1}


def test_a_heartbeat_is_kept_with_its_time(
    station: Studio, client: FlaskClient, token: dict[str, str]
) -> None:
    assert client.post(f"{ME}/heartbeat", headers=token, json={"output": "silent"}).status_code == 204
    assert station.receiver().heartbeat == {"output": "silent"}
    assert station.receiver().last_seen_at == NOW


# ------------------------------------------------------------------------------------ audio and health


def test_audio_is_immutable_and_comes_in_parts(station: Studio, client: FlaskClient) -> None:
    sha256, path = station.file_of(station.airing(NOW + timedelta(hours=1)))
    whole = client.get(f"/a/{sha256}.mp3", buffered=True)
    assert (whole.status_code, whole.data, whole.mimetype) == (200, path.read_bytes(), "audio/mpeg")
    assert whole.headers["ETag"] == f'"{sha256}"'
    assert {"public", "immutable", "max-age=31536000"} <= set(whole.headers["Cache-Control"].split(", "))
    part = client.get(f"/a/{sha256}.mp3", buffered=True, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.data) == (206, path.read_bytes()[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole.data)}"
    beyond = client.get(f"/a/{sha256}.mp3", buffered=True, headers={"Range": "bytes=99999999-"})
    assert beyond.status_code == 416
    same = client.get(f"/a/{sha256}.mp3", buffered=True, headers={"If-None-Match": f'"{sha256}"'})
    assert same.status_code == 304


@pytest.mark.parametrize(
    "name", ["x.mp3", "a" * 64 + ".mp3", "A" * 64 + ".mp3", "a" * 64 + ".exe", "a" * 64, "..%2f..%2fx"]
)
def test_what_is_no_audio_of_ours_is_not_found(client: FlaskClient, name: str) -> None:
    assert client.get(f"/a/{name}").status_code == 404


def test_a_revoked_programme_can_no_longer_be_fetched(station: Studio, client: FlaskClient) -> None:
    airing = station.airing(NOW + timedelta(hours=1))
    sha256, _path = station.file_of(airing)
    station.revoke_programme(airing, "Sai nội dung")
    assert client.get(f"/a/{sha256}.mp3").status_code == 404


def test_health_says_whether_there_is_a_station(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"ok": True, "stations": 1}


def test_a_copied_player_is_refused_its_reports_and_the_station_knows_of_it(
    station: Studio, client: FlaskClient, token: dict[str, str]
) -> None:
    def beat(life: str) -> int:
        answer = client.post(f"{ME}/events", json={"events": []}, headers={**token, "Player-Life": life})
        return int(answer.status_code)

    assert [beat("một"), beat("một"), beat("hai")] == [200, 200, 200], "a player that was started again"
    assert station.receiver().rival_at is None
    assert beat("một") == 409
    assert station.receiver().rival_at == NOW
    assert client.get(f"{ME}/manifest", headers={**token, "Player-Life": "một"}).status_code == 200
    assert [beat("hai"), beat("ba"), beat("hai")] == [200, 200, 409]
