"""State of our own processes: a sign of life of each, and what it says of itself."""

from django.db import models


class ProcessBeat(models.Model):
    """A process that said a moment ago how it is; it takes its row away when it ends.

    One that was killed leaves its row, which is how it is missed.
    """

    id = models.UUIDField(primary_key=True, help_text="Made when the process started.")
    kind = models.CharField(max_length=20, help_text="web, listener, publisher or calculator.")
    name = models.CharField(max_length=255, help_text="Its host and process id.")
    version = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField(db_index=True)
    told = models.TextField(help_text="What it has counted and has open, as JSON.")

    class Meta:
        ordering = ("kind", "name", "started_at")
        verbose_name = "live process"
        verbose_name_plural = "live sheets and processes"

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
