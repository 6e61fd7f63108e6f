"""The OpenAPI document at `/api/openapi.json`, and a page that shows it; everything comes from this machine."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from flask import Blueprint, Response, current_app, jsonify, render_template, send_from_directory
from flask.typing import ResponseReturnValue

from broadcaster.config import CHECKOUT
from web.api.base import ROOT, SCHEME
from web.api.schemas import LARGEST_ID, Refusal
from web.security import public

bp = Blueprint("api_docs", __name__, url_prefix="/api")
RECEIVER = "receiver"
INTRO = (
    "Giao diện cho chương trình khác của xã: gửi bản tin nháp, đọc lịch phát, máy thu, nhật ký. "
    "Quản trị viên tạo mã truy cập ở trang “Mã truy cập”; gửi mã trong đầu đề `Authorization: Bearer …`. "
    'Giờ có múi giờ; ngày là ngày ở đài. Mỗi lời từ chối là `{"message": "một câu"}`.'
)


def install(app: APIFlask) -> None:
    """Configure the document and register its routes."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        AUTO_OPERATION_ID=True,
        AUTO_TAGS=False,
        HTTP_ERROR_SCHEMA=Refusal,
        VALIDATION_ERROR_SCHEMA=Refusal,
        VALIDATION_ERROR_DESCRIPTION="Dữ liệu gửi lên không đúng mẫu",
        NOT_FOUND_DESCRIPTION="Không có",
        SUCCESS_DESCRIPTION="Được",
        AUTO_AUTH_ERROR_RESPONSE=False,
        SECURITY_SCHEMES={
            SCHEME: {"type": "http", "scheme": "bearer", "description": "mã truy cập của một chương trình"},
            RECEIVER: {"type": "http", "scheme": "bearer", "description": "mã của một máy thu"},
        },
    )
    app.description = INTRO
    app.spec_processor(_completed)
    app.register_blueprint(bp)


@bp.get("/openapi.json")
@public
def openapi() -> ResponseReturnValue:
    """The document."""
    answer = jsonify(current_app._get_spec("json"))  # type: ignore[attr-defined]
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@bp.get("/docs")
@public
def page() -> ResponseReturnValue:
    """The document for people."""
    return render_template("api_docs.html")


@bp.get("/docs/<any('swagger-ui-bundle.js', 'swagger-ui.css'):asset_name>")
@public
def asset(asset_name: str) -> Response:
    """Swagger UI from its pip package."""
    return send_from_directory(swagger_folder(), asset_name, max_age=86_400)


def swagger_folder() -> Path:
    """Where the package `flask-swagger-ui` keeps the files; its own blueprint writes inline scripts."""
    spec = importlib.util.find_spec("flask_swagger_ui")
    assert spec is not None, "requirements.txt brings it"
    assert spec.origin is not None
    return Path(spec.origin).parent / "dist"


# ------------------------------------------------------------------------------- the players' routes


def _completed(spec: dict[str, Any]) -> dict[str, Any]:
    spec.pop("servers", None)
    for path in spec["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in ("bulletin_id", "receiver_id"):
                    parameter["schema"] = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
                operation["responses"] |= _refusals(400, 413)
    spec["paths"].update(_players())
    return spec


def _players() -> dict[str, Any]:
    """What `web.receivers_api` answers, from the schemas that players are held against."""
    base = f"{ROOT}/receivers"
    tag = {"type": "string", "minLength": 1}
    me = {
        "receiver": {"type": "integer"},
        "name": {"type": "string"},
        "station": {"type": "string"},
        "station_name": {"type": "string"},
        "public_key": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "sequence": {"type": "integer", "minimum": 0},
    }
    code = {"code": {"type": "string", "minLength": 1, "maxLength": 40}}
    etag = {"ETag": {"schema": {"type": "string"}, "required": True}}
    signature = {"Manifest-Signature": {"schema": {"type": "string"}, "required": True}}
    bell = {"epoch": {"type": "integer"}, "version": {"type": "integer"}, "tag": tag}
    unchanged = {"304": {"description": "Không đổi"}}
    too_large = _refusals(413)
    return {
        f"{base}/pair": {
            "post": _operation(
                "Ghép nối bằng mã ngắn", "pair_receiver", body=_object(code),
                answers={"200": _json(_object({**me, "token": {"type": "string"}}), "Đã ghép nối")}
                | _refusals(400, 404, 410, 413, 429),
                secured=False,
            )
        },
        f"{base}/me": {
            "get": _operation("Máy thu của mã này", "receiver_me", answers={"200": _json(_object(me), "Được")})
        },
        f"{base}/me/doorbell": {
            "get": _operation(
                "Lịch có gì mới không", "receiver_doorbell",
                answers={"200": _json(_object(bell), "Số của lịch", headers=etag)} | unchanged,
            )
        },
        f"{base}/me/manifest": {
            "get": _operation(
                "Lịch đã ký của máy thu", "receiver_manifest",
                answers={"200": _json(_schema("manifest"), "Lịch đã ký", headers=etag | signature)} | unchanged,
            )
        },
        f"{base}/me/events": {
            "post": _operation(
                "Gửi nhật ký phát sóng", "receiver_events", body=_events(),
                answers={"200": _json(_object({"accepted": {"type": "integer", "minimum": 0}}), "Đã nhận")}
                | _refusals(400, 409)
                | too_large,
            )
        },
        f"{base}/me/heartbeat": {
            "post": _operation(
                "Tình trạng máy thu", "receiver_heartbeat", body=_heartbeat(),
                answers={"204": {"description": "Đã nhận"}} | _refusals(400) | too_large,
            )
        },
    }  # fmt: skip


def _operation(
    summary: str,
    name: str,
    *,
    answers: dict[str, Any],
    body: dict[str, Any] | None = None,
    secured: bool = True,
) -> dict[str, Any]:
    found: dict[str, Any] = {"summary": summary, "operationId": name, "tags": ["Máy phát"], "parameters": []}
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if secured:
        found["security"] = [{RECEIVER: []}]
        answers = answers | _refusals(401, 403)
    return found | {"responses": answers}


def _refusals(*statuses: int) -> dict[str, Any]:
    shape = _object({"message": {"type": "string"}})
    return {str(status): _json(shape, "Bị từ chối, có câu giải thích") for status in statuses}


def _json(
    schema: dict[str, Any], description: str, *, headers: dict[str, Any] | None = None
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": schema}},
    }
    return answer | ({"headers": headers} if headers else {})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": sorted(properties), "properties": properties}


def _events() -> dict[str, Any]:
    """What the station takes: a player sends every field, an older or newer one may send fewer or more."""
    found = _schema("events")
    line = found["properties"]["events"]["items"]
    line["required"] = ["sequence", "airing_id", "event", "at"]
    line["additionalProperties"] = found["additionalProperties"] = True
    return found


def _heartbeat() -> dict[str, Any]:
    """Any object is kept as it is; the names are told, and what players mean by them."""
    found = _schema("heartbeat")
    told = {
        name: {"description": part.get("description", name)} for name, part in found["properties"].items()
    }
    return {"type": "object", "title": found["title"], "properties": told}


def _schema(name: str) -> dict[str, Any]:
    text = (CHECKOUT / "docs" / "api" / f"{name}.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    found.pop("$schema")
    shared = found.pop("$defs", {})
    return _inlined(found, shared)


def _inlined(value: Any, shared: dict[str, Any]) -> Any:
    """References within the file, replaced by what they mean: the document has one root of its own."""
    if isinstance(value, dict):
        if "$ref" in value:
            return _inlined(shared[value["$ref"].rsplit("/", 1)[1]], shared)
        return {key: _inlined(part, shared) for key, part in value.items()}
    if isinstance(value, list):
        return [_inlined(part, shared) for part in value]
    return value
