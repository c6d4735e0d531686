"""The app: what a live sheet is. docs/architecture.md is its map."""
