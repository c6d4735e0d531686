"""The ASGI application: files by WhiteNoise, sockets and signals by the app, the rest by Django."""

import os

from django.core.asgi import get_asgi_application

from cells.asgi import with_live_sheets

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sheetsync.settings")
live = with_live_sheets(get_asgi_application())  # loads the apps

from sheetsync.bodies import BoundedBodies  # noqa: E402
from sheetsync.static import StaticFiles  # noqa: E402

application = StaticFiles(BoundedBodies(live))
