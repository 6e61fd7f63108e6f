"""What receivers get: signed manifest, village links, receipts, packs and feeds."""
