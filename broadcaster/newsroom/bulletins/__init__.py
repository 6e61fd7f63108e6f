"""The life of a bulletin: draft -> submitted -> approved | returned -> draft; approved -> withdrawn.

Functions take a session and never commit.  Ring the worker's doorbell after the commit of a `submit`.
"""

from broadcaster.newsroom.approved import approved_revision, approved_revisions
from broadcaster.newsroom.bulletins.again import copy_as_new, restore_copy
from broadcaster.newsroom.bulletins.copies import copies, copy_by_id
from broadcaster.newsroom.bulletins.deciding import approve, return_bulletin, withdraw
from broadcaster.newsroom.bulletins.drafts import (
    create_bulletin,
    reading_if,
    reading_of,
    save_draft,
    set_answer,
    title_reading,
)
from broadcaster.newsroom.bulletins.found import (
    bulletin_by_id,
    bulletins,
    find,
    folded,
    revision_by_id,
    waiting,
)
from broadcaster.newsroom.bulletins.submitting import ask_take, freeze_take, frozen_reading, recall, submit

__all__ = [
    "approve",
    "approved_revision",
    "approved_revisions",
    "ask_take",
    "bulletin_by_id",
    "bulletins",
    "copies",
    "copy_as_new",
    "copy_by_id",
    "create_bulletin",
    "find",
    "folded",
    "freeze_take",
    "frozen_reading",
    "reading_if",
    "reading_of",
    "recall",
    "restore_copy",
    "return_bulletin",
    "revision_by_id",
    "save_draft",
    "set_answer",
    "submit",
    "title_reading",
    "waiting",
    "withdraw",
]
