"""How Django names this app."""

from django.apps import AppConfig


class CellsConfig(AppConfig):
    name = "cells"
    verbose_name = "Live sheets"
