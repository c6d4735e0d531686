"""What the project starts with every process of ours: error reports and traces, where wanted."""

from django.apps import AppConfig
from django.conf import settings


class SheetSyncConfig(AppConfig):
    name = "sheetsync"

    def ready(self) -> None:
        from sheetsync import logs, observing

        if logs.is_json():
            logs.take_in_the_rest()
        if settings.SENTRY_DSN:
            observing.report_errors(settings.SENTRY_DSN, settings.VERSION)
        if settings.OTEL_ENDPOINT:
            observing.send_traces(settings.VERSION)
