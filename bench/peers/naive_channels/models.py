"""What the naive consumer keeps: the last value of each cell."""

from django.db import models


class Cell(models.Model):
    """One filled cell of one sheet."""

    sheet = models.CharField(max_length=100)
    row = models.IntegerField()
    column = models.IntegerField()
    value = models.TextField()

    objects: models.Manager["Cell"] = models.Manager()

    class Meta:
        app_label = "naive_channels"
        constraints = [
            models.UniqueConstraint(fields=["sheet", "row", "column"], name="one_cell_per_place")
        ]

    def __str__(self) -> str:
        return f"{self.sheet} {self.row}:{self.column}"
