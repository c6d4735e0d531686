"""How Django names this app, and what it starts with it."""

from django.apps import AppConfig
from django.core.checks import Tags, register


class CellsConfig(AppConfig):
    name = "cells"
    verbose_name = "Live sheets"

    def ready(self) -> None:
        from cells.checks import check_deployment, check_push

        register(check_deployment, Tags.security, deploy=True)
        register(check_push, Tags.security)
