"""What stands for Google: keys that sign tokens, and the server of their certificates."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import jwt
from google.auth.crypt import RSASigner

AUDIENCE = "https://sheets.example.com/pubsub/push"
SERVICE_ACCOUNT = "push@demo.iam.gserviceaccount.com"


class Key:
    """One of Google's keys: signs tokens, and has a certificate."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federated-signon")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(private, hashes.SHA256())
        )
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()
        pem = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self._signer = RSASigner.from_string(pem, key_id)

    def token(self, *without: str, **claims: Any) -> str:
        """Return a token as Pub/Sub would send it, less some claims and with others."""
        now = int(time.time())
        usual = {
            "aud": AUDIENCE,
            "azp": "113774264463038321964",
            "email": SERVICE_ACCOUNT,
            "email_verified": True,
            "exp": now + 3600,
            "iat": now,
            "iss": "https://accounts.google.com",
            "sub": "113774264463038321964",
        }
        payload = {name: value for name, value in (usual | claims).items() if name not in without}
        token: bytes = jwt.encode(self._signer, payload)
        return token.decode()


@cache
def key(name: str) -> Key:
    """Return the key of this name; making one takes long enough to make each once."""
    return Key(name)


class CertificateServer:
    """Serves certificates as Google does, and counts how often it was asked."""

    def __init__(self, url: str, *keys: Key) -> None:
        self.url = url
        self.headers = {"Cache-Control": "public, max-age=3600, must-revalidate"}
        self.status = 200
        self.fetches = 0
        self.answering = threading.Event()
        self.answering.set()
        self.publish(*keys)

    def publish(self, *keys: Key) -> None:
        """Serve the certificates of these keys from now on."""
        self.body = json.dumps({key.key_id: key.certificate for key in keys}).encode()


@contextmanager
def certificate_server(*keys: Key) -> Iterator[CertificateServer]:
    """Serve the certificates of these keys on a port of its own."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.fetches += 1
            server.answering.wait(30)
            self.send_response(server.status)
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(server.body)))
            self.end_headers()
            self.wfile.write(server.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as http:
        server = CertificateServer(f"http://127.0.0.1:{http.server_port}/certs", *keys)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.answering.set()
            http.shutdown()
            thread.join()
