"""Which advice applies; standard library only."""
