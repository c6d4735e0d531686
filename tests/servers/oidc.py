"""An OpenID Connect provider: discovery, keys, codes, tokens, userinfo; for a person at a time.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
"""

import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "sheetsync", "its secret"


class Provider:
    """Signs in whoever `person` says at once; `lies` is what its id tokens say that is not so.

    `issuer` is who it says it is.
    """

    def __init__(self) -> None:
        self.person: dict[str, Any] = {}
        self.lies: dict[str, Any] = {}
        self.key = self.real_key = rsa.generate_private_key(65537, 2048)
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.issuer = self.url
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def authorize(self, asked: dict[str, str]) -> str:
        """Return where the browser is sent back to."""
        code = secrets.token_hex()
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, asked: dict[str, str]) -> dict[str, Any]:
        """Exchange a code, once, for who proves to have asked for it."""
        begun = self._codes.pop(asked["code"])
        digest = sha256(asked["code_verifier"].encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert challenge == begun["code_challenge"]
        assert (asked["client_id"], asked["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300}
        claims |= {"nonce": begun["nonce"], **self.person, **self.lies}
        id_token = jwt.encode(claims, self.key, "RS256", {"kid": "1"})
        return {"access_token": "it", "token_type": "Bearer", "id_token": id_token}

    def keys(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.real_key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "1", "alg": "RS256"}]}

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def _handler(provider) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler has a self
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path)
                if path.path == "/authorize":
                    self.send_response(302)
                    asked = {name: value[0] for name, value in parse_qs(path.query).items()}
                    self.send_header("Location", provider.authorize(asked))
                    self.end_headers()
                elif path.path == "/.well-known/openid-configuration":
                    self._answer(provider.discovery())
                else:
                    self._answer(provider.keys() if path.path == "/keys" else provider.person)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(provider.token({k: v[0] for k, v in parse_qs(body).items()}))

            def _answer(self, content: dict[str, Any]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            def log_message(self, *args: object) -> None:
                pass

        return Handler
