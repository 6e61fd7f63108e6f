"""Written Vietnamese -> spoken Vietnamese.  Pure: no clock, file, network or database."""
