"""What operators and their programs ask a process: does it live, is it ready, how is it."""

from collections.abc import Callable
from secrets import compare_digest

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cells.metrics import METRICS_TYPE, render_metrics
from cells.services.readiness import Readiness, ask_dependencies, is_draining, readiness_of


def answer_probes(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer /healthz, /readyz and /metrics, as a middleware before all others.

    Probes call a node by its own address and without TLS: ALLOWED_HOSTS would refuse them, and
    HTTPS_ONLY would send them away.
    """
    probes = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}

    def middleware(request: HttpRequest) -> HttpResponse:
        probe, slash, name = request.path_info.partition("/readyz/")
        if slash and not probe:
            return readyz_of(request, name)
        return probes.get(request.path_info, get_response)(request)

    return middleware


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers; touch nothing, so that no outage elsewhere restarts it."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Say which dependencies answer: 503 without the database, 200 when only degraded.

    A process that is about to end says so at once: no load balancer should send people here.
    """
    if is_draining():
        return JsonResponse({"status": Readiness.DRAINING}, status=503)
    dependencies = ask_dependencies()
    readiness = readiness_of(dependencies)
    return JsonResponse(
        {
            "status": readiness,
            "dependencies": {found.name: found.problem or "ok" for found in dependencies},
        },
        status=503 if readiness == Readiness.UNAVAILABLE else 200,
    )


@require_safe
@never_cache
def readyz_of(request: HttpRequest, name: str) -> HttpResponse:
    """Say whether one dependency answers: 503 where it does not, whatever it means for the rest.

    So a deaf listener is not ready at /readyz/listener, though the people here go on editing.
    """
    found = {one.name: one.problem for one in ask_dependencies()}
    if name not in found:
        known = ", ".join(found)
        return JsonResponse({"status": f"nothing of that name here; there is {known}"}, status=404)
    status = Readiness.UNAVAILABLE if found[name] else Readiness.READY
    answer = {"status": status, "dependencies": {name: found[name] or "ok"}}
    return JsonResponse(answer, status=503 if found[name] else 200)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Say how the streams do, in Prometheus' text format; to who has METRICS_TOKEN alone."""
    if not settings.DEBUG:
        if not settings.METRICS_TOKEN:
            return HttpResponse("set METRICS_TOKEN to have metrics\n", "text/plain", 404)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given, wanted = token.strip().encode(), settings.METRICS_TOKEN.encode()
        if scheme.lower() != "bearer" or not compare_digest(given, wanted):
            response = HttpResponse("send the METRICS_TOKEN as bearer\n", "text/plain", 401)
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
    try:
        return HttpResponse(render_metrics(), content_type=METRICS_TYPE)
    except DatabaseError:
        return HttpResponse("the database does not answer; ask again\n", "text/plain", 503)
