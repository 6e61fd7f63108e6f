"""What every route of the interface shares: the blueprint, who is let in, refusals as JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from apiflask import APIBlueprint, APIFlask, HTTPError
from flask import Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from broadcaster.delivery.tokens import grants, token_by_secret, use_is_old
from broadcaster.errors import BroadcasterError
from broadcaster.store.tables import ApiToken, Station
from web.deps import deps, kept, now
from web.errors import SENTENCES, status_of

ROOT = "/api/v1"
SCHEME = "token"
bp = APIBlueprint("api", __name__, url_prefix=ROOT)
View = TypeVar("View", bound=Callable[..., Any])

NO_TOKEN = "Thiếu mã truy cập, hoặc mã không còn dùng được. Hãy xin quản trị viên của đài một mã mới."  # noqa: S105
WRONG_INPUT = "Dữ liệu gửi lên không đúng mẫu: {fields}. Hãy xem tài liệu ở /api/docs."


class Denied(Exception):
    """An answer that ends the request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def scope(name: str) -> Callable[[View], View]:
    """Let only tokens with this scope in, and say so in the document.  Stands above `@bp.input`."""

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            _enter(name)
            return view(*args, **kwargs)

        spec = guarded.__dict__.setdefault("_spec", {})
        spec["security"] = [{SCHEME: [name]}]
        spec["responses"] = {
            401: "Không có mã truy cập dùng được",
            403: f"Mã không có quyền {name}",
            **(spec.get("responses") or {}),
        }
        return guarded  # type: ignore[return-value]

    return mark


def _enter(wanted: str) -> None:
    given = request.authorization
    secret = given.token if given is not None and given.type == "bearer" else None
    if not secret:
        raise Denied(401, NO_TOKEN)
    with deps().db.reading() as session:
        row = token_by_secret(session, secret, now=now())
        if row is None:
            raise Denied(401, NO_TOKEN)
        if not grants(row, wanted):
            raise Denied(403, f"Mã truy cập này không có quyền {wanted}.")
        g.station = kept(session, session.get_one(Station, row.station_id))
        g.token_id, g.owner_id = row.id, row.owner_id
        note_use = use_is_old(row, now())
    if note_use:
        with deps().db.writing() as session:
            session.get_one(ApiToken, g.token_id).last_used_at = now()


def install_errors(app: APIFlask) -> None:
    """Refusals under `/api/` are JSON with a sentence, never a page."""
    app.register_error_handler(HTTPError, _invalid)
    pages = app.error_handler_spec[None][None][HTTPException]

    def http(error: HTTPException) -> ResponseReturnValue:
        if not request.path.startswith("/api/") or (error.code or 500) < 400:
            return current_app.ensure_sync(pages)(error)
        status = error.code or 500
        answer = jsonify(message=SENTENCES.get(status, SENTENCES[500 if status >= 500 else 400]))
        answer.status_code = status
        for name, value in error.get_headers():
            if name.lower() not in ("content-type", "content-length"):
                answer.headers[name] = value
        return answer

    app.register_error_handler(HTTPException, http)


def _invalid(error: HTTPError) -> ResponseReturnValue:
    fields = ", ".join(
        f"{where}.{name}"
        for where, found in (error.detail or {}).items()
        if isinstance(found, dict)
        for name in found
    )
    message = WRONG_INPUT.format(fields=fields) if error.status_code == 422 else error.message
    return jsonify(message=message, detail=error.detail), error.status_code


@bp.errorhandler(Denied)
def _denied(error: Denied) -> ResponseReturnValue:
    answer = jsonify(message=error.message)
    answer.status_code = error.status
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="dai"'
    return answer


@bp.errorhandler(BroadcasterError)
def _refused(error: BroadcasterError) -> ResponseReturnValue:
    return jsonify(message=error.message), status_of(error)


@bp.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    return response
