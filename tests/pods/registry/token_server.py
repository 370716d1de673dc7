"""The realm of a token-authenticated registry, as GitLab's /jwt/auth is: on another host, with a
certificate of the same CA. Grants what is asked for to whoever knows the password."""

import base64
import http.server
import json
import ssl
import subprocess
import time
import urllib.parse


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def certificate():
    lines = open("/registry/token.pem").read().split("-----")[2]
    return "".join(lines.split())


def token(service, scopes):
    access = []
    for scope in scopes:
        kind, name, actions = scope.split(":")
        access.append({"type": kind, "name": name, "actions": actions.split(",")})
    now = int(time.time())
    header = {"typ": "JWT", "alg": "RS256", "x5c": [certificate()]}
    claims = {
        "iss": "gitlab", "sub": "job", "aud": service, "jti": str(now),
        "iat": now - 60, "nbf": now - 60, "exp": now + 600, "access": access,
    }
    signed = encode(json.dumps(header).encode()) + b"." + encode(json.dumps(claims).encode())
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", "/registry/token.key"],
        input=signed, capture_output=True, check=True).stdout
    return (signed + b"." + encode(signature)).decode()


class Realm(http.server.BaseHTTPRequestHandler):
    def answer(self, query):
        expected = "Basic " + base64.b64encode(b"job:secret").decode()
        password = query.get("password") == ["secret"]
        if self.headers.get("Authorization") != expected and not password:
            self.send_error(401)
            return
        scopes = [scope for part in query.get("scope", []) for scope in part.split()]
        granted = token(query["service"][0], scopes)
        body = json.dumps({"token": granted, "access_token": granted}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query))

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        self.answer(urllib.parse.parse_qs(self.rfile.read(length).decode()))


server = http.server.ThreadingHTTPServer(("", 443), Realm)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/registry/gitlab/cert.pem", "/registry/gitlab/key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
