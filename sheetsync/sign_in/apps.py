"""Sign-in by an OpenID Connect provider; installed only where the environment names one."""

from django.apps import AppConfig


class SignInConfig(AppConfig):
    name = "sheetsync.sign_in"

    def ready(self) -> None:
        from allauth.socialaccount.models import SocialApp, SocialToken
        from django.contrib import admin

        # The provider is the environment's; a second one from a table would stand beside it.
        admin.site.unregister((SocialApp, SocialToken))
