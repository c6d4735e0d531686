"""One settings module, read from the environment; nonsense is refused with a sentence.

Without any variable it is the embedded mode: SQLite, an in-memory channel layer, DEBUG.
A variable exists for what operators change; docs and .env.example list them all.
"""

import re
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from cells import __version__
from cells.defaults import IN_MEMORY_LAYER, SQLITE_OPTIONS
from sheetsync.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = __version__

env = environ.Env()


def _switch(name: str, *, default: bool) -> bool:
    """Read a variable that is on or off; a typing error must not mean off."""
    text = env.str(name, default="").strip().lower()
    if text in ("1", "true", "on", "yes", "y"):
        return True
    if text in ("0", "false", "off", "no", "n"):
        return False
    if text:
        raise ImproperlyConfigured(f"{name} is {text!r}: set it to 1 or 0, or leave it out.")
    return default


# -- Security ------------------------------------------------------------------------------------

# On by default because an empty ALLOWED_HOSTS then answers to this machine alone;
# `manage.py check --deploy` objects to it, and the Dockerfile turns it off.
DEBUG = _switch("DEBUG", default=True)

SECRET_KEY: str = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Make one with "
            '`python -c "import secrets; print(secrets.token_urlsafe(50))"` '
            "and put it into the environment; keep it the same across restarts."
        )
    SECRET_KEY = "insecure-development-key"  # noqa: S105 - refused when DEBUG is off

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Behind a proxy that ends TLS and sets X-Forwarded-Proto; never without one.
if _switch("TRUST_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
if _switch("HTTPS_ONLY", default=False):
    SECURE_SSL_REDIRECT = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    LANGUAGE_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000  # a year; of this host alone, its neighbours may differ
# ... which `check --deploy` would have otherwise: for hosts below it, and in browsers' own lists.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# What a page may load, run and reach: what comes from here. Scripts and styles within a page need
# the nonce of its request. In frames, see sheetsync.headers; docs/security.md says more.
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        # ... and that of 500.html, which knows of no request.
        "style-src": [SELF, NONCE, "'sha256-Y75qco2nQCjm4iaS/yIBwjZnNIwukMStWKeGjmyAYfE='"],
        "img-src": [SELF, "data:"],  # Swagger's signs; such a picture asks nobody for anything
        "connect-src": [SELF],  # WebSockets of this host too
        "worker-src": [SELF],
        "frame-src": [SELF],  # sheets in a page, by {% live_sheet %}
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# Django's own, said here because they are part of it: no address of a sheet leaves with a link, no
# page that opened this one keeps hold of it, and a file is what its type says.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

# -- Application ---------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "channels",
    "ninja",  # its documentation page, with the files that it needs
    "sheetsync.apps.SheetSyncConfig",  # error reports and traces, where the environment asks
    "cells",  # before staticfiles: it replaces runserver by one that speaks WebSocket
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # "3 minutes ago", "12,000"
]

MIDDLEWARE = [
    "cells.health.answer_probes",  # first: it must refuse no host, and redirect nobody to https
    "sheetsync.headers.BrowserPolicies",  # around all that answers with a page
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",  # the language that the browser asks for
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "sheetsync.queries.refuse_nul_in_the_admin",  # last: its sentence is in the browser's language
]

ROOT_URLCONF = "sheetsync.urls"
ASGI_APPLICATION = "sheetsync.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# -- Database ------------------------------------------------------------------------------------


def _database() -> dict[str, Any]:
    """Return Django's settings for DATABASE_URL, or refuse an engine that commit cannot serve."""
    try:
        database: dict[str, Any] = env.db_url(
            "DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}"
        )
    except (environ.ImproperlyConfigured, ValueError) as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}") from error
    match database.get("ENGINE"):
        case "django.db.backends.sqlite3":
            database["OPTIONS"] = dict(SQLITE_OPTIONS)
            # Threads share a test database only when it is a file.
            database["TEST"] = {"NAME": BASE_DIR / ".test-db.sqlite3"}
        case "django.db.backends.postgresql":
            # Closed with its request: under ASGI each request has a thread of its own, and a
            # connection kept for the next would be left behind. Pool threads keep theirs.
            database["CONN_MAX_AGE"] = 0
            database["OPTIONS"] = {
                # An unreachable host must become an error that pauses, not a hang: when it is
                # dialled, when it vanishes under a statement, and while that waits for its answer.
                # https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-PARAMKEYWORDS
                "connect_timeout": 5,
                "tcp_user_timeout": 15_000,
                "keepalives_idle": 5,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                # A process that hangs or loses its network with a sheet's lock gives it up.
                "options": "-c idle_in_transaction_session_timeout=10s",
                **database.get("OPTIONS", {}),
            }
        case engine:
            raise ImproperlyConfigured(
                f"DATABASE_URL names the engine {engine!r}; SheetSync runs on sqlite:///… "
                "and postgres://… ."
            )
    return database


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Channel layer -------------------------------------------------------------------------------

REDIS_URLS: list[str] = env.list("REDIS_URL", default=[])
if any(not url.startswith(("redis://", "rediss://", "unix://")) for url in REDIS_URLS):
    raise ImproperlyConfigured(
        "REDIS_URL must be redis://host:port/0, several of them separated by commas, or unset "
        "for a channel layer in memory."
    )

CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": (
        {
            # The pubsub layer: the core layer drops above its capacity, silently.
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": REDIS_URLS,
                # Redis delivers to subscribers of every database number, and sheet 1 of another
                # deployment must not show on the screens of this one's.
                # https://redis.io/docs/latest/develop/pubsub/
                "prefix": f"sheetsync.{sha256(SECRET_KEY.encode()).hexdigest()[:16]}.",
            },
        }
        if REDIS_URLS
        else IN_MEMORY_LAYER["default"]
    )
}

# Without Redis the web process has the calculating worker as its child; with it, start calc_worker.
EMBEDDED_CALCULATION: bool = env.bool("EMBEDDED_CALCULATION", default=not REDIS_URLS)

# -- Cache: how often somebody did something, counted for all processes ---------------------------

CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URLS[0],  # Django takes further ones for copies of the first
            "KEY_PREFIX": CHANNEL_LAYERS["default"]["CONFIG"]["prefix"],
            "OPTIONS": {"socket_connect_timeout": 0.3, "socket_timeout": 0.3},
        }
        if REDIS_URLS
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

# -- Pub/Sub (PUBSUB_EMULATOR_HOST is read by Google's own client) --------------------------------

PUBSUB_PROJECT: str = env.str("PUBSUB_PROJECT", default="demo")
PUBSUB_TOPIC: str = env.str("PUBSUB_TOPIC", default="sheetsync-edits")
PUBSUB_SUBSCRIPTION: str = env.str("PUBSUB_SUBSCRIPTION", default="sheetsync-edits-sub")

# How other SheetSyncs know this one; empty: a random name that is kept in the database.
PUBSUB_ORIGIN: str = env.str("PUBSUB_ORIGIN", default="")
if PUBSUB_ORIGIN and not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", PUBSUB_ORIGIN):
    raise ImproperlyConfigured(
        f"PUBSUB_ORIGIN is {PUBSUB_ORIGIN!r}: set it to 1 to 40 letters, digits and ._- or leave "
        "it out."
    )

# Where dead letters are published too; empty: they are kept in the table alone.
PUBSUB_DEAD_LETTER_TOPIC: str = env.str("PUBSUB_DEAD_LETTER_TOPIC", default="")

# Messages that Pub/Sub pushes to /pubsub/push. Each comes with a token of Google's; these say whose
# it has to be, and for whom.
PUBSUB_PUSH_AUDIENCE: str = env.str("PUBSUB_PUSH_AUDIENCE", default="")
PUBSUB_PUSH_SERVICE_ACCOUNT: str = env.str("PUBSUB_PUSH_SERVICE_ACCOUNT", default="")
if bool(PUBSUB_PUSH_AUDIENCE) != bool(PUBSUB_PUSH_SERVICE_ACCOUNT):
    raise ImproperlyConfigured(
        "PUBSUB_PUSH_AUDIENCE and PUBSUB_PUSH_SERVICE_ACCOUNT go together: set both for a push "
        "subscription, or none."
    )
# Certificates by key id, as PEM texts. Another address is for tests and for private networks.
PUBSUB_PUSH_CERTIFICATES_URL: str = env.str(
    "PUBSUB_PUSH_CERTIFICATES_URL", default="https://www.googleapis.com/oauth2/v1/certs"
)
if not PUBSUB_PUSH_CERTIFICATES_URL.startswith(("https://", "http://")):
    raise ImproperlyConfigured(
        f"PUBSUB_PUSH_CERTIFICATES_URL is {PUBSUB_PUSH_CERTIFICATES_URL!r}: set it to an https:// "
        "address, or leave it out."
    )
# For the emulator, which sends no tokens. Without DEBUG it counts for nothing.
PUBSUB_PUSH_UNAUTHENTICATED = _switch("PUBSUB_PUSH_UNAUTHENTICATED", default=False)

# How many requests a minute one token, or one person in a browser, may make to /api/v1.
API_REQUESTS_A_MINUTE: int = env.int("API_REQUESTS_A_MINUTE", default=600)
if API_REQUESTS_A_MINUTE < 1:
    raise ImproperlyConfigured("API_REQUESTS_A_MINUTE must be at least 1.")

# How many sheets, without those that are deleted, one person may own, and how many filled cells one
# sheet may have; 0 is no limit.
try:
    SHEETS_PER_USER: int = env.int("SHEETS_PER_USER", default=1_000)
    CELLS_PER_SHEET: int = env.int("CELLS_PER_SHEET", default=2_000_000)
except ValueError:
    SHEETS_PER_USER = CELLS_PER_SHEET = -1
if min(SHEETS_PER_USER, CELLS_PER_SHEET) < 0:
    raise ImproperlyConfigured(
        "SHEETS_PER_USER and CELLS_PER_SHEET must be whole numbers, 0 for no limit, or be left out."
    )

# How many sockets one web process has for one person, and for the guests of one address: a proxy's,
# where TRUST_PROXY does not say that it is believed.
try:
    SOCKETS_PER_USER: int = env.int("SOCKETS_PER_USER", default=100)
    SOCKETS_PER_ADDRESS: int = env.int("SOCKETS_PER_ADDRESS", default=2_500)
except ValueError:
    SOCKETS_PER_USER = SOCKETS_PER_ADDRESS = 0
if min(SOCKETS_PER_USER, SOCKETS_PER_ADDRESS) < 1:
    raise ImproperlyConfigured(
        "SOCKETS_PER_USER and SOCKETS_PER_ADDRESS must be whole numbers from 1 on, or be left out."
    )

# Who sends it as bearer may read /metrics; without it nobody may, but developers.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")

# -- Pages ---------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60  # who has chosen one is not asked again with every visit
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "cells" / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# Whether newcomers make their own accounts; otherwise administrators make them.
SIGN_UP = _switch("SIGN_UP", default=DEBUG)

_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator"},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]

# A rule of the project's own beside owners and shares (docs/embedding.md); this one has none.
CELLS_ROLE: str | None = None

# Sign-in by one OpenID Connect provider beside ours (docs/security.md). It costs nothing when off.
OIDC_SERVER_URL: str = env.str("OIDC_SERVER_URL", default="").rstrip("/")
_OIDC_CLIENT_ID: str = env.str("OIDC_CLIENT_ID", default="")
_OIDC_CLIENT_SECRET: str = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_NAME: str = env.str("OIDC_NAME", default="") or "OpenID Connect"
OIDC_SIGN_UP = _switch("OIDC_SIGN_UP", default=True)
_oidc = (OIDC_SERVER_URL, _OIDC_CLIENT_ID, _OIDC_CLIENT_SECRET)
if any(_oidc) and not all(_oidc):
    raise ImproperlyConfigured(
        "OIDC_SERVER_URL, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET go together: set all three to have "
        "people sign in by that provider, or none."
    )
if OIDC_SERVER_URL:
    if not OIDC_SERVER_URL.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise ImproperlyConfigured(
            f"OIDC_SERVER_URL is {OIDC_SERVER_URL!r}: set it to the provider's https:// address."
        )
    if find_spec("allauth") is None:
        raise ImproperlyConfigured(
            "OIDC_SERVER_URL needs django-allauth: run `pip install -r requirements-oidc.txt` (for "
            "the image: build it with `--build-arg OIDC=1`), or leave the variable out."
        )
    INSTALLED_APPS += ["allauth.account", "allauth.socialaccount", "sheetsync.sign_in"]
    MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
    ACCOUNT_EMAIL_VERIFICATION = SOCIALACCOUNT_EMAIL_VERIFICATION = "none"  # the provider's to do
    SOCIALACCOUNT_ADAPTER = "sheetsync.sign_in.adapter.Adapter"
    SOCIALACCOUNT_PROVIDERS = {
        "oidc": {
            "APPS": [
                {
                    "provider_id": "oidc",
                    "name": OIDC_NAME,
                    "client_id": _OIDC_CLIENT_ID,
                    "secret": _OIDC_CLIENT_SECRET,
                    "settings": {"server_url": OIDC_SERVER_URL},
                }
            ]
        }
    }
    # Where the form on the log-in page is redirected to, which browsers hold against form-action.
    _origins: list[str] = env.list("OIDC_FORM_ORIGINS", default=[])
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"] += [
        *("/".join(OIDC_SERVER_URL.split("/")[:3]), *_origins)
    ]

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "cells:home"
LOGOUT_REDIRECT_URL = "cells:home"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Said here and not left to the default: tests turn DEBUG off and have no collected files.
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "cells.storage.HashedModuleStorage"
        )
    },
}

# -- Files ---------------------------------------------------------------------------------------

# What may be uploaded to be imported. The command takes larger files.
try:
    IMPORT_MAX_BYTES: int = env.int("IMPORT_MAX_BYTES", default=50_000_000)
except ValueError:
    IMPORT_MAX_BYTES = 0
if IMPORT_MAX_BYTES < 1:
    raise ImproperlyConfigured(
        "IMPORT_MAX_BYTES must be a whole number of bytes, such as 50000000, or be left out."
    )

# -- Logs ----------------------------------------------------------------------------------------

LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO").upper()
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
    raise ImproperlyConfigured(
        f"LOG_LEVEL is {LOG_LEVEL!r}: set it to DEBUG, INFO, WARNING, ERROR or CRITICAL."
    )

# JSON lines for programs, text for people; by default JSON where DEBUG is off.
LOG_FORMAT: str = env.str("LOG_FORMAT", default="").strip().lower()
if LOG_FORMAT not in ("", "json", "text"):
    raise ImproperlyConfigured(
        f"LOG_FORMAT is {LOG_FORMAT!r}: set it to json or text, or leave it out for JSON where "
        "DEBUG is off."
    )

LOGGING = logging_config(LOG_LEVEL)

# -- Where errors and traces go (docs/observing.md) -----------------------------------------------

SENTRY_DSN: str = env.str("SENTRY_DSN", default="")
if SENTRY_DSN and not re.fullmatch(r"https?://[^@/\s]+@[^/\s]+/(\S*/)?\d+", SENTRY_DSN):
    raise ImproperlyConfigured(
        "SENTRY_DSN must be https://key@host/project as Sentry shows it, or be left out."
    )

# OpenTelemetry's own variables. Its library reads the others, such as OTEL_TRACES_SAMPLER, itself.
OTEL_ENDPOINT: str = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
if OTEL_ENDPOINT and not OTEL_ENDPOINT.startswith(("https://", "http://")):
    raise ImproperlyConfigured(
        f"OTEL_EXPORTER_OTLP_ENDPOINT is {OTEL_ENDPOINT!r}: set it to the http:// or https:// "
        "address of a collector, such as http://localhost:4318, or leave it out."
    )
OTEL_PROTOCOL: str = env.str("OTEL_EXPORTER_OTLP_PROTOCOL", default="http/protobuf")
if OTEL_ENDPOINT and OTEL_PROTOCOL != "http/protobuf":
    raise ImproperlyConfigured(
        f"OTEL_EXPORTER_OTLP_PROTOCOL is {OTEL_PROTOCOL!r}: set it to http/protobuf, the one that "
        "SheetSync speaks, or leave it out."
    )
