"""Every component in every state on one page: to look at when something is changed."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from broadcaster.errors import Refused
from web.marking import Piece
from web.security import public

bp = Blueprint("style_page", __name__)


@bp.get("/style")
@public
def style() -> ResponseReturnValue:
    """The components."""
    refused = Refused(
        "Buổi này trùng giờ với “Buổi sáng” lúc 05:30.",
        remedies=("Phát nối tiếp sau", "Đổi giờ", "Thay bản kia, chỉ hôm nay"),
    )
    pieces = (
        Piece("Theo "),
        Piece("UBND", "change", "đọc là: ủy ban nhân dân"),
        Piece(" xã và "),
        Piece("CNSCD", "ask", "Chưa biết đọc chữ viết tắt này."),
        Piece("."),
    )
    return render_template("style.html", refused=refused, pieces=pieces)
