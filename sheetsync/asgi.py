"""The ASGI application: HTTP to Django, WebSockets to the app's consumers, signals to a drain."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sheetsync.settings")
http = get_asgi_application()  # loads the apps, so it comes before what imports models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from cells.routing import websocket_urlpatterns  # noqa: E402
from sheetsync.calculation import calculating  # noqa: E402
from sheetsync.lifespan import lifespan  # noqa: E402
from sheetsync.static import StaticFiles  # noqa: E402

application = calculating(
    ProtocolTypeRouter(
        {
            "http": StaticFiles(http),
            "lifespan": lifespan,
            "websocket": AllowedHostsOriginValidator(URLRouter(websocket_urlpatterns)),
        }
    )
)
