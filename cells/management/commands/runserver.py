"""`manage.py runserver`: Daphne's, which speaks WebSocket.

Here instead of `daphne` among the installed apps, which would have every process load Twisted:
it takes as long as the rest of Django, and only this command uses it.
"""

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
