"""A real nginx with the shipped configuration, made as its image's start makes it."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.servers.missing import missing_service
from tests.servers.process import ROOT, HttpServer, answers_http, free_port

SHIPPED = ROOT / "deploy" / "nginx"


class NginxProxy(HttpServer):
    """The door in front of a web server; `variables` are those of docker-compose.yml's `proxy`."""

    def __init__(self, folder: Path, variables: Mapping[str, str], *, extra: str = "") -> None:
        """Put the configuration into `folder`; `extra` stands where TLS may be mounted."""
        program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            missing_service("nginx", "apt install nginx-light (macOS: brew install nginx).")
        self.port = free_port()
        listen = {"PROXY_LISTEN": f"127.0.0.1:{self.port}"}
        _fill(folder, {**_computed(variables), **variables, **listen}, extra)
        # Workers of a root's nginx would not be let into a test's folder.
        user = "user root; " if os.getuid() == 0 else ""
        super().__init__(
            "nginx",
            [
                *(program, "-p", str(folder), "-c", str(folder / "nginx.conf")),
                *("-e", "stderr", "-g", f"{user}daemon off;"),
            ],
            log=folder / "nginx.log",
        )

    def is_ready(self) -> bool:
        return answers_http(self.port, "/healthz")


def _computed(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what the shipped script adds to the environment."""
    script = 'set -a; . "$0"; env'
    done = subprocess.run(
        ["sh", "-c", script, str(SHIPPED / "10-body-size.envsh")],
        env={**variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(re.findall(r"^(PROXY_\w+)=(.*)$", done.stdout, re.MULTILINE))


def _fill(folder: Path, variables: Mapping[str, str], extra: str) -> None:
    main = (SHIPPED / "nginx.conf").read_text().replace("/tmp/", f"{folder}/")
    template = (SHIPPED / "sheetsync.conf.template").read_text()
    filled = re.sub(r"\$\{(\w+)\}", lambda match: variables[match[1]], template)
    for name, text in {
        "nginx.conf": main,
        "conf.d/default.conf": filled,
        "sheetsync.d/extra.conf": extra,
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
