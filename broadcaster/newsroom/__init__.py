"""The life of a bulletin: import, draft, submit, approve; people and templates beside it."""
