"""A real redis-server, without persistence."""

import shutil
import socket
from pathlib import Path

from tests.servers.missing import missing_service
from tests.servers.process import ServerProcess, free_port


class RedisServer(ServerProcess):
    """Stop it and start it again: it comes back on the same port, empty."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            missing_service("redis-server", "apt install redis-server (macOS: brew install redis).")
        self.port = free_port()
        super().__init__(
            "redis-server",
            [
                *(program, "--bind", "127.0.0.1", "--port", str(self.port)),
                *("--save", "", "--appendonly", "no", "--dir", str(folder)),
            ],
            log=folder / "redis.log",
        )

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
