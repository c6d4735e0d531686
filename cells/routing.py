"""The WebSocket addresses."""

from django.urls import path

from cells.consumers import SheetConsumer

websocket_urlpatterns = [
    path("ws/sheets/<str:slug>/", SheetConsumer.as_asgi()),
]
