"""How Django names this app, and what it starts with it."""

from django.apps import AppConfig
from django.core.checks import Tags, register


class CellsConfig(AppConfig):
    name = "cells"
    verbose_name = "Live sheets"
    default_auto_field = "django.db.models.BigAutoField"  # whatever the project's own is

    def ready(self) -> None:
        from cells.checks import check_deployment, check_push
        from cells.defaults import fill_in_settings
        from cells.host_checks import check_host

        fill_in_settings()
        register(check_host)
        register(check_deployment, Tags.security, deploy=True)
        register(check_push, Tags.security)
