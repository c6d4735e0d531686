"""The settings of the naive consumer: one app, a database, a channel layer on Redis."""

import os

import environ

env = environ.Env()

SECRET_KEY = "only-for-the-benchmark"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = ["channels", "bench.peers.naive_channels"]
ROOT_URLCONF = "bench.peers.naive_channels.routing"
ASGI_APPLICATION = "bench.peers.naive_channels.asgi.application"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {"default": env.db_url("DATABASE_URL")}
# A connection that is closed after every edit would cost more than the edit.
DATABASES["default"]["CONN_MAX_AGE"] = 600
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {  # as durable as SheetSync's own
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }

# "core" is the tutorial's: it drops what is above a channel's capacity of 100, without a word.
# "pubsub" drops nothing here, so that all edits can arrive; it is the default for that reason.
CHANNEL_LAYER = os.environ.get("CHANNEL_LAYER", "pubsub")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": {
            "core": "channels_redis.core.RedisChannelLayer",
            "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
        }[CHANNEL_LAYER],
        "CONFIG": {"hosts": [os.environ["REDIS_URL"]]},
    }
}
