"""Voice + jingles -> programme file: rundown, mixing, mastering, and the line that joins them."""
