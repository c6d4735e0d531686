"""`manage.py runserver`: Daphne's, which speaks WebSocket.

Here instead of `daphne` among the installed apps, which would have every process load Twisted:
it takes as long as the rest of Django, and only this command uses it.
"""

from typing import Any

from daphne.management.commands.runserver import Command as DaphneCommand

from cells.live.looking import begin_beating


class Command(DaphneCommand):
    def get_application(self, options: dict[str, Any]) -> Any:
        """Return the application, which says how the process is from its first call on.

        Daphne has no lifespan, in which uvicorn's processes begin.
        """
        application = super().get_application(options)

        async def serve(scope: Any, receive: Any, send: Any) -> None:
            begin_beating()
            await application(scope, receive, send)

        return serve
