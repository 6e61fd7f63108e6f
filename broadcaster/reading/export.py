"""A reading as plain data, for `read --json`, the API and the screen.  The schema is in docs/reading.md."""

from __future__ import annotations

from typing import Any

from broadcaster.model import Mark, Reading


def reading_to_json(reading: Reading) -> dict[str, Any]:
    """JSON-ready dictionary of a reading; positions are code points of `text`."""
    return {
        "text": reading.text,
        "spoken": reading.spoken,
        "blocking": reading.blocking,
        "sentences": [
            {
                "start": sentence.start,
                "end": sentence.end,
                "written": sentence.written,
                "spoken": sentence.spoken,
                "pause": sentence.pause.value,
                "marks": [_mark(mark) for mark in sentence.marks],
            }
            for sentence in reading.sentences
        ],
        "left_out": [
            {"kind": part.kind, "start": part.start, "end": part.end, "written": part.written}
            for part in reading.left_out
        ],
        "warnings": [
            {
                "key": warning.key,
                "code": warning.code,
                "start": warning.start,
                "end": warning.end,
                "written": warning.written,
                "message": warning.message,
                "suggestion": warning.suggestion,
            }
            for warning in reading.warnings
        ],
        "notes": list(reading.notes),
    }


def _mark(mark: Mark) -> dict[str, Any]:
    return {
        "start": mark.start,
        "end": mark.end,
        "written": mark.written,
        "spoken": mark.spoken,
        "rule": mark.rule,
        "alternatives": list(mark.alternatives),
        "key": mark.key,
    }
