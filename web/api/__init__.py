"""The interface for other programs: `/api/v1`, described by OpenAPI at `/api/docs`.

One blueprint; each file hangs its routes on it.  The players' own routes (`web.receivers_api`) live under
the same root and stand in the same document.
"""

from __future__ import annotations

from importlib import import_module

from apiflask import APIFlask

from web import security
from web.api import base, document

ROUTES = ("places", "bulletins", "airings", "receivers", "reports")


def install(app: APIFlask) -> None:
    """Register the routes, the document and its page."""
    for name in ROUTES:
        import_module(f"web.api.{name}")
    security.open_to_tokens(app, base.bp)
    app.register_blueprint(base.bp)
    base.install_errors(app)
    document.install(app)
