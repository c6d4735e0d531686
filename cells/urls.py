"""The app's addresses; /healthz and /readyz are answered before them, by a middleware."""

from django.urls import path

from cells import downloads, histories, push, sheet_feeds, uploads, views
from cells.api import api
from cells.api.interface import no_such_path

urlpatterns = [
    path("", views.home, name="home"),
    path("offline/", views.offline, name="offline"),
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
    path("sheets/<slug:slug>/share/", views.share, name="share"),
    path("sheets/<slug:slug>/share/link/", views.share_link, name="share_link"),
    path("sheets/<slug:slug>/share/<int:user_id>/", views.share_role, name="share_role"),
    path("sheets/<slug:slug>/share/<int:user_id>/remove/", views.unshare, name="unshare"),
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
