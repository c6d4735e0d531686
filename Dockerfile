# One image for every SheetSync process: web is its command, docker-compose.yml gives the others theirs.

FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.lock requirements-observe.lock requirements-oidc.lock .
# Only what `make lock` has seen, byte by byte, and nothing that would be built here.
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock
# 1 for what SENTRY_DSN and OTEL_EXPORTER_OTLP_ENDPOINT need.
ARG OBSERVE=0
RUN if [ "$OBSERVE" = 1 ]; then /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-observe.lock; fi
# 1 for what OIDC_SERVER_URL needs.
ARG OIDC=0
RUN if [ "$OIDC" = 1 ]; then /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-oidc.lock; fi
COPY . .
# The settings insist on a key; this one is made up on the spot and stays nowhere.
RUN SECRET_KEY="$(head -c 32 /dev/urandom | base64)" DEBUG=0 /venv/bin/python manage.py collectstatic --noinput

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home sheetsync
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH DEBUG=0 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER sheetsync
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Compression costs 12 µs a frame and 45 kB a socket. WEB_CONCURRENCY sets the number of workers. Whether a proxy is
# believed says TRUST_PROXY alone: by itself uvicorn believes whoever connects from 127.0.0.1.
CMD ["uvicorn", "sheetsync.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "on", \
     "--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--ws-max-size", "1048576", \
     "--no-proxy-headers", "--timeout-graceful-shutdown", "4", "--log-config", "sheetsync/uvicorn_logs.json"]
