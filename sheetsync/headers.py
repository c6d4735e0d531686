"""What pages tell browsers not to do for them: the policies of content and of features."""

from typing import Any

from csp.constants import NONE, SELF
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# What a page that was taken over could ask of a browser; no page of SheetSync does. The clipboard
# is not among them. https://www.w3.org/TR/permissions-policy/
FEATURES = (
    "accelerometer", "autoplay", "camera", "display-capture", "geolocation",
    "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb",
)  # fmt: skip
PERMISSIONS = ", ".join(f"{feature}=()" for feature in FEATURES)


class BrowserPolicies(CSPMiddleware):
    """django-csp's middleware, with two things that it leaves to the project.

    Who may have a page in a frame is said twice, and browsers heed the policy alone. So it says
    what X-Frame-Options says, which views set by Django's own means; to be placed before
    XFrameOptionsMiddleware. And it forbids what PERMISSIONS lists.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response.headers["Permissions-Policy"] = PERMISSIONS
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        is_for_frames = response.headers.get("X-Frame-Options") == "SAMEORIGIN"
        around: dict[str, Any] = {"frame-ancestors": SELF if is_for_frames else NONE}
        parts.replace = around | (parts.replace or {})
        return parts
