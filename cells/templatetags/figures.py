"""humanize's filters for the app's templates, in projects too that have not installed it."""

from django.contrib.humanize.templatetags.humanize import register

__all__ = ["register"]
