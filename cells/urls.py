"""The app's addresses; /healthz and /readyz are answered before them, by a middleware."""

from django.urls import path
from django.views.decorators.http import conditional_page
from django.views.i18n import JavaScriptCatalog

from cells import (
    accounts,
    downloads,
    histories,
    protections,
    push,
    shares,
    sheet_feeds,
    uploads,
    views,
)
from cells.api import api
from cells.api.interface import no_such_path

app_name = "cells"  # a project has a "home" and a "delete" of its own

urlpatterns = [
    path("", views.home, name="home"),
    path("offline/", views.offline, name="offline"),
    path("words.js", conditional_page(JavaScriptCatalog.as_view(packages=["cells"])), name="words"),
    path("accounts/tokens/", accounts.tokens, name="tokens"),
    path("accounts/tokens/<int:token_id>/revoke/", accounts.revoke, name="revoke_token"),
    path("service-worker.js", views.service_worker, name="service_worker"),
    path("api/v1/", api.urls),
    path("api/<path:anything>", no_such_path),
    path("pubsub/push", push.receive, name="pubsub_push"),
    path("import/", uploads.page, name="import_new"),
    path("import/preview/", uploads.look, name="import_new_preview"),
    path("import/run/", uploads.run, name="import_new_run"),
    path("sheets/", views.new_sheet, name="new_sheet"),
    path("sheets/<slug:slug>/", views.sheet_page, name="sheet"),
    path("sheets/<slug:slug>/rename/", views.rename, name="rename"),
    path("sheets/<slug:slug>/duplicate/", views.duplicate, name="duplicate"),
    path("sheets/<slug:slug>/delete/", views.delete, name="delete"),
    path("sheets/<slug:slug>/restore/", views.restore, name="restore"),
    path("sheets/<slug:slug>/export.csv", downloads.as_csv, name="export_csv"),
    path("sheets/<slug:slug>/export.xlsx", downloads.as_xlsx, name="export_xlsx"),
    path("sheets/<slug:slug>/import/", uploads.page, name="import"),
    path("sheets/<slug:slug>/import/preview/", uploads.look, name="import_preview"),
    path("sheets/<slug:slug>/import/run/", uploads.run, name="import_run"),
    path("sheets/<slug:slug>/share/", shares.share, name="share"),
    path("sheets/<slug:slug>/share/link/", shares.share_link, name="share_link"),
    path("sheets/<slug:slug>/share/<int:user_id>/", shares.share_role, name="share_role"),
    path("sheets/<slug:slug>/share/<int:user_id>/remove/", shares.unshare, name="unshare"),
    path(
        "sheets/<slug:slug>/share/groups/<int:group_id>/",
        shares.share_group_role,
        name="share_group_role",
    ),
    path(
        "sheets/<slug:slug>/share/groups/<int:group_id>/remove/",
        shares.unshare_group,
        name="unshare_group",
    ),
    path("sheets/<slug:slug>/protections/", protections.protect_ranges, name="protections"),
    path(
        "sheets/<slug:slug>/protections/<int:protection_id>/",
        protections.change,
        name="change_protection",
    ),
    path(
        "sheets/<slug:slug>/protections/<int:protection_id>/remove/",
        protections.remove,
        name="unprotect",
    ),
    path("sheets/<slug:slug>/history/", histories.show_timeline, name="history"),
    path("sheets/<slug:slug>/history/cell/", histories.show_cell, name="cell_history"),
    path("sheets/<slug:slug>/history/<int:revision>/", histories.show_revision, name="past"),
    path(
        "sheets/<slug:slug>/history/<int:revision>/name/",
        histories.give_name,
        name="name_version",
    ),
    path("sheets/<slug:slug>/feeds/", sheet_feeds.show, name="sheet_feeds"),
    path("sheets/<slug:slug>/feeds/owned/", sheet_feeds.show_owned, name="sheet_owned"),
    path("sheets/<slug:slug>/feeds/dismiss/", sheet_feeds.dismiss, name="dismiss_proposal"),
]
