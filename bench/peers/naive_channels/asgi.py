"""The naive consumer's ASGI application."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peers.naive_channels.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from bench.peers.naive_channels.routing import websocket_urlpatterns  # noqa: E402 - imports models

application = ProtocolTypeRouter(
    {"http": django_application, "websocket": URLRouter(websocket_urlpatterns)}
)
