"""Two people at their browsers during an emergency: one asks, the other hears and puts it on the air."""

from __future__ import annotations

import time
from contextlib import ExitStack

from tests.support.live import PASSWORD
from tests.support.visitor import Visitor

ON_AIR, DRILL, END = "Phát ngay ra mọi loa đã chọn", "Bắt đầu diễn tập", "Dừng lời khẩn cấp này"


class Desk:
    """The accounts `hoa` (asks) and `minh` (decides) of `live_station`, signed in at a real web address.

    Messages are named by the path of their page.
    """

    def __init__(self, address: str) -> None:
        self._open = ExitStack()
        self.officer, self.approver = (self._open.enter_context(Visitor(address)) for _ in range(2))
        for person, name in ((self.officer, "hoa"), (self.approver, "minh")):
            person.open("/dang-nhap").press("Đăng nhập", {"username": name, "password": PASSWORD})

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def ask(
        self,
        title: str,
        text: str,
        *,
        repeat_min: int = 0,
        drill: bool = False,
        hours: int = 2,
        page: str = "/khan-cap",
    ) -> str:
        """Fill in the form and send it; the path of its page.  `page` may be the one that announces an end."""
        self.officer.open(page)
        values = {
            "message": "moi",
            "reason": "Nước sông lên nhanh",
            "hours": str(hours),
            "repeat": str(repeat_min),
        }
        if title:
            values |= {"title": title, "text": text}
        if drill:
            values["drill"] = "on"
        self.officer.press("Tiếp tục: nghe thử", values)
        assert self.officer.answer is not None
        return self.officer.answer.url.removeprefix(self.officer.address)

    def wait_until_heard(self, path: str, *, limit_s: float = 60.0, button: str = ON_AIR) -> None:
        """Look again, as the page does by itself, until its sound can be heard and decided on."""
        until = time.monotonic() + limit_s
        while button not in self.approver.open(path).text:
            assert time.monotonic() < until, self.approver.text
            time.sleep(0.3)

    def put_on_air(self, path: str, *, button: str = ON_AIR) -> None:
        """The second person's word, on a page that offers the sound."""
        if button not in self.approver.open(path).text:
            raise AssertionError(self.approver.text)
        self.approver.press(button)

    def end(self, path: str, reason: str = "Nước đã rút") -> None:
        """Stop it and its repeats."""
        self.officer.open(path).press(END, {"reason": reason})

    def stop_everything(self, reason: str) -> None:
        """“Dừng ngay tất cả”, in its two steps."""
        self.officer.open("/khan-cap/dung-tat-ca").press("Dừng ngay tất cả", {"reason": reason})
