"""htmx from its pip package, under our own address: nothing of it is committed, nothing comes from outside."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from flask import Blueprint, send_from_directory
from flask.typing import ResponseReturnValue

from web.security import public

bp = Blueprint("vendor", __name__, url_prefix="/vendor")


def htmx_folder() -> Path:
    """Where the package `django-js-lib-htmx` keeps htmx; it needs no Django."""
    spec = importlib.util.find_spec("js_lib_htmx")
    assert spec is not None, "requirements.txt brings it"
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations))) / "static" / "htmx"


@bp.get("/htmx.min.js")
@public
def htmx() -> ResponseReturnValue:
    """The library, cached for a day."""
    return send_from_directory(htmx_folder(), "htmx.min.js", mimetype="text/javascript", max_age=86400)
