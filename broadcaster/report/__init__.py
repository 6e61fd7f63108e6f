"""As-run and receipts -> counts and papers."""
