"""Pages whose address is the key: they tell nobody where they are and stay in no shared cache."""

from __future__ import annotations

from flask import Response


def keyed(page: str | Response, status: int = 200) -> Response:
    """The page as an answer that no referrer, search engine or proxy learns of."""
    answer = page if isinstance(page, Response) else Response(page, status=status)
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer
