"""Formulas: an engine in a process of its own, and what keeps one bad formula from the rest."""
