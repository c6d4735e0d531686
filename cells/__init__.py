"""The app: what a live sheet is. docs/architecture.md is its map."""

__version__ = "0.1.0"  # what errors, traces and metrics say of where they come from
