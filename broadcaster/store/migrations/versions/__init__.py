"""One file a version; a released file is never edited."""
