"""Spoken words -> voice: one file an engine, a table of engines, the chain, the sentence cache."""
