"""Actions: synchronous functions that own the transactions."""
