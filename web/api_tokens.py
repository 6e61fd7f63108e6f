"""Tokens of other programs: make one (its secret is shown once), see when each was used, take it away."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from broadcaster.delivery.tokens import SCOPES, issue_token, revoke_token, tokens
from broadcaster.errors import BroadcasterError, InputError
from broadcaster.newsroom.people import may
from web.deps import deps, now, reading, today, writing
from web.errors import status_of
from web.security import actor, needs, signed_in
from web.words import day_text, parse_day

bp = Blueprint("api_tokens", __name__, url_prefix="/ma-truy-cap")
USUAL_LIFE = timedelta(days=365)


@bp.get("")
@needs("settings")
def listing() -> ResponseReturnValue:
    """All tokens."""
    return _page()


@bp.post("")
@needs("settings")
def create() -> ResponseReturnValue:
    """A new token; the page shows its secret this once."""
    typed = request.form
    try:
        expires = parse_day(typed.get("expires", ""))
        if expires is None:
            raise InputError("Ngày hết hạn chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 24/11/2026.")
        with writing() as session:
            row, secret = issue_token(
                session, owner=actor(session), name=typed.get("name", ""), scopes=typed.getlist("scope"),
                expires_on=expires, now=now(),
            )  # fmt: skip
            name = row.name
    except BroadcasterError as error:
        return _page(error=error), status_of(error)
    # Not a redirect: the secret is shown once and stands in no address, log or cookie.
    return render_template("api_token.html", name=name, secret=secret, base=deps().settings.base_url)


@bp.post("/<int:token_id>/thu-hoi")
@needs("settings")
def revoke(token_id: int) -> ResponseReturnValue:
    """Take a token's right away."""
    with writing() as session:
        name = revoke_token(session, token_id, actor=actor(session), now=now()).name
    flash(f"Đã thu hồi mã “{name}”. Chương trình dùng mã này không vào được nữa.")
    return redirect(url_for("api_tokens.listing"), 303)


def _page(*, error: BroadcasterError | None = None) -> str:
    mine = {scope: words for scope, (words, right) in SCOPES.items() if may(signed_in().role, right)}
    with reading() as session:
        return render_template(
            "api_tokens.html", rows=tokens(session), scopes=mine, all_scopes=SCOPES, error=error,
            typed=request.form, expires=request.form.get("expires") or day_text(today() + USUAL_LIFE),
        )  # fmt: skip
