"""Text leaves gzipped: on a village's 3G a page is a third as long.

The session's cookie is SameSite=Lax and every form's token is signed anew, so the length of a page tells another
site nothing it could ask for twice.
"""

from __future__ import annotations

import gzip

from flask import Flask, Response, request

KINDS = {
    "text/html", "text/css", "text/javascript", "application/json", "application/xml", "application/rss+xml",
    "application/manifest+json", "image/svg+xml", "text/calendar",
}  # fmt: skip
LEAST_BYTES = 600
MOST_BYTES = 2_000_000  # a larger answer is a file to download, and is not held in memory for this


def install(app: Flask) -> None:
    """Compress what a browser says it can read."""
    app.after_request(_compressed)


def _compressed(response: Response) -> Response:
    if response.mimetype not in KINDS or request.path.startswith("/api/"):
        return response  # programs get the bytes that were signed and named by their ETag
    response.vary.add("Accept-Encoding")
    if (
        response.status_code != 200
        or "gzip" not in request.accept_encodings
        or "Content-Encoding" in response.headers
        or "Content-Range" in response.headers
        or not LEAST_BYTES <= (response.content_length or 0) <= MOST_BYTES
    ):
        return response
    response.direct_passthrough = False
    response.set_data(gzip.compress(response.get_data(), 6, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    tag, _weak = response.get_etag()
    if tag is not None:
        response.set_etag(tag, weak=True)  # the same content, other bytes
    return response
