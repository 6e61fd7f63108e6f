"""An error becomes a page with its sentence, and what was typed is never lost."""

from __future__ import annotations

import errno

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from broadcaster.errors import BroadcasterError, Conflict, InputError, NotFound, Refused, StoreError
from web import carried
from web.security import account
from web.uploads import limit_mb

SENTENCES = {
    400: "Yêu cầu gửi lên chưa đủ. Hãy quay lại trang trước và thử lại.",
    401: "Phiên làm việc đã hết. Hãy đăng nhập lại rồi làm tiếp.",
    403: "Tài khoản này không có quyền làm việc đó. Hãy nhờ người quản trị hoặc người có quyền.",
    404: "Không có trang này, hoặc mục này đã được bỏ. Hãy về trang Hôm nay và tìm lại.",
    405: "Trang này không nhận cách gửi đó. Hãy quay lại trang trước.",
    429: "Có quá nhiều lần thử trong thời gian ngắn. Hãy chờ một phút rồi thử lại.",
    500: "Máy chủ gặp lỗi ngoài dự kiến. Việc vừa làm có thể chưa được lưu; hãy thử lại và báo kỹ thuật.",
}


def status_of(error: BroadcasterError) -> int:
    """HTTP status of a refusal: 404, 409, 422 or 503."""
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, Conflict):
        return 409
    if isinstance(error, InputError | Refused):
        return 422
    return 503 if isinstance(error, StoreError) else 422


def install(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(BroadcasterError, _refused)
    app.register_error_handler(CSRFError, _stale)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OSError, _no_room)


def _page(message: str, status: int, remedies: tuple[str, ...] = ()) -> ResponseReturnValue:
    typed = request.form.get("text", "") if status not in (404, 413, 507) else ""
    page = render_template("problem.html", message=message, remedies=remedies, status=status, typed=typed)
    return page, status


def _refused(error: BroadcasterError) -> ResponseReturnValue:
    return _page(error.message, status_of(error), getattr(error, "remedies", ()))


def _no_room(error: OSError) -> ResponseReturnValue:
    """A large form is laid on disk while it comes in; any other fault of the system stays a fault."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        raise error
    message = "Đĩa của máy đài đã đầy nên chưa nhận được. Hãy báo kỹ thuật dọn đĩa, rồi gửi lại."
    return _page(message, 507)


def _stale(_error: CSRFError) -> ResponseReturnValue:
    late = carried.of_this_request()
    if late is not None and "HX-Request" not in request.headers:
        return (carried.go_on(late) if account() is not None else _sign_in_first(late)), 400
    return _page("Trang này đã mở quá lâu hoặc đã đăng xuất ở nơi khác. Hãy đăng nhập lại rồi gửi lại.", 400)


def _sign_in_first(late: carried.Carried) -> str:
    """The sign-in form that carries what was typed."""
    return render_template(
        "signin.html", username="", target="", carried=late, error=InputError(SENTENCES[401])
    )


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status == 401 and "HX-Request" not in request.headers:
        late = carried.of_this_request()
        if late is not None:
            return _sign_in_first(late), 401
    if status < 400:
        return error.get_response()  # redirects that werkzeug itself raises
    if status == 413:
        return _page(
            f"Nội dung gửi lên lớn hơn {limit_mb()} MB. Hãy chọn tệp nhỏ hơn hoặc chia làm hai.", 413
        )
    return _page(SENTENCES.get(status, SENTENCES[500 if status >= 500 else 400]), status)
