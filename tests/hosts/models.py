"""Users of a project that knows no usernames and no groups: an e-mail address, and nothing else."""

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class PersonManager(BaseUserManager["Person"]):
    """Makes people of addresses."""

    def create_user(self, email: str, *, is_staff: bool = False) -> "Person":
        return self.create(email=email, is_staff=is_staff)


class Person(AbstractBaseUser):
    """Whoever has an address; always active, for there is no field that could say otherwise."""

    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"

    class Meta:
        app_label = "hosts"

    def has_perm(self, permission: str, obj: object = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff

    def __str__(self) -> str:
        return self.email
