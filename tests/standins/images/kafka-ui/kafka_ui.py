"""A stand-in for Kafka UI: the real one's addresses and settings in front of one real broker.

It proves wiring only: that the settings are given, that the login guards, and that the broker can
be reached from where the real one would run. It shows nothing to look at.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import Mapping
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

PORT = 8080
BROKER_SECONDS = 5
COOKIE = "SESSION"
OPEN_PATHS = {"/login", "/actuator/health", "/actuator/info"}


class Cluster:
    """The one cluster that the environment names."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.name = needed(environ, "KAFKA_CLUSTERS_0_NAME")
        self.read_only = environ.get("KAFKA_CLUSTERS_0_READONLY", "false") == "true"
        servers = needed(environ, "KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS")
        # What goes wrong is in the answers; the client's own log would repeat it all the time.
        options = {"bootstrap.servers": servers, "log_level": 0}
        self._admin = AdminClient(options | login(environ))

    def topics(self) -> dict[str, int]:
        """Topic -> number of partitions. Raises KafkaException if the broker does not answer."""
        topics = self._admin.list_topics(timeout=BROKER_SECONDS).topics
        return {name: len(topic.partitions) for name, topic in sorted(topics.items())}


class Login:
    """Who may come in: everybody, or those who know the password."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.is_needed = environ.get("AUTH_TYPE", "DISABLED") == "LOGIN_FORM"
        self._sessions: set[str] = set()
        if self.is_needed:
            self._user = needed(environ, "SPRING_SECURITY_USER_NAME")
            self._password = needed(environ, "SPRING_SECURITY_USER_PASSWORD")

    def enter(self, user: str, password: str) -> str | None:
        """A new session, None for a wrong name or password."""
        given, wanted = f"{user}\n{password}", f"{self._user}\n{self._password}"
        if not secrets.compare_digest(given.encode(), wanted.encode()):
            return None
        session = secrets.token_urlsafe()
        self._sessions.add(session)
        return session

    def knows(self, cookies: str) -> bool:
        """Whether a Cookie header holds a session of ours."""
        cookie = SimpleCookie(cookies).get(COOKIE)
        return cookie is not None and cookie.value in self._sessions


class Server(ThreadingHTTPServer):
    """Listens to both families of addresses, as a Java program does."""

    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        """Take IPv4 connections with the same socket."""
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class Handler(BaseHTTPRequestHandler):
    """Answers to the paths of the real one that a test or a health check asks for."""

    cluster: Cluster
    login: Login

    def do_GET(self) -> None:
        """Answer a page or an API call."""
        path = urlsplit(self.path).path
        guarded = self.login.is_needed and path not in OPEN_PATHS
        if guarded and not self.login.knows(self.headers.get("Cookie", "")):
            self.redirect("/login")
            return
        try:
            self.answer(path)
        except KafkaException as error:
            self.reply(503, {"status": "DOWN", "message": str(error)})

    def do_POST(self) -> None:
        """Take the form of the login page."""
        length = int(self.headers.get("Content-Length", 0))
        form = parse_qs(self.rfile.read(length).decode())
        if urlsplit(self.path).path != "/login" or not self.login.is_needed:
            self.reply(404, {"message": "not here"})
            return
        session = self.login.enter(*(form.get(key, [""])[0] for key in ("username", "password")))
        if session is None:
            self.redirect("/login?error")
        else:
            self.redirect("/", f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax")

    def answer(self, path: str) -> None:
        """Answer a call that may be answered."""
        cluster = self.cluster
        if path == "/actuator/health":
            cluster.topics()
            self.reply(200, {"status": "UP"})
        elif path == "/api/clusters":
            topics = cluster.topics()
            state = {"name": cluster.name, "status": "online", "topicCount": len(topics)}
            self.reply(200, [state | {"readOnly": cluster.read_only}])
        elif path == f"/api/clusters/{cluster.name}/topics":
            topics = cluster.topics()
            rows = [{"name": name, "partitionCount": count} for name, count in topics.items()]
            self.reply(200, {"pageCount": 1, "topics": rows})
        elif path in {"/", "/login"}:
            self.reply(200, {"message": "stand-in for Kafka UI"})
        else:
            self.reply(404, {"message": "not here"})

    def reply(self, status: int, content: Any) -> None:
        """Send JSON."""
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, address: str, cookie: str = "") -> None:
        """Send the browser elsewhere."""
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()


def login(environ: Mapping[str, str]) -> dict[str, str]:
    """The client properties of a secure broker, as librdkafka spells them; none for a plain one."""
    prefix = "KAFKA_CLUSTERS_0_PROPERTIES_"
    if f"{prefix}SECURITY_PROTOCOL" not in environ:
        return {}
    jaas = needed(environ, f"{prefix}SASL_JAAS_CONFIG")
    words = dict(re.findall(r'(username|password)="([^"]*)"', jaas))
    return {
        "security.protocol": needed(environ, f"{prefix}SECURITY_PROTOCOL"),
        "sasl.mechanism": needed(environ, f"{prefix}SASL_MECHANISM"),
        "sasl.username": words["username"],
        "sasl.password": words["password"],
        "ssl.ca.location": needed(environ, f"{prefix}SSL_TRUSTSTORE_LOCATION"),
    }


def needed(environ: Mapping[str, str], name: str) -> str:
    """A setting that must be there; ends the program if it is not."""
    if not environ.get(name):
        sys.exit(f"{name} is not set")
    return environ[name]


def main() -> None:
    """Serve until the container is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Handler.cluster = Cluster(os.environ)
    Handler.login = Login(os.environ)
    Server(("", PORT), Handler).serve_forever()


if __name__ == "__main__":
    main()
