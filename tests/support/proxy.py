"""A server in the middle: passes requests on to a real one, and changes what it answers to a resolve."""

import http.client
import http.server
import json
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def forward(self):
        proxy = self.server.proxy
        body = self.body()
        if self.path == "/v1/resolve":
            body = json.dumps(proxy.ask(json.loads(body))).encode()
        time.sleep(proxy.silent.get(self.path, 0))
        upstream = http.client.HTTPConnection(proxy.host, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length", "connection", "expect", "transfer-encoding")}
        upstream.request(self.command, self.path, body or None, headers)
        answer = upstream.getresponse()
        data = answer.read()
        if self.path == "/v1/resolve" and answer.status == 200:
            data = json.dumps(proxy.answer(json.loads(data))).encode()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        upstream.close()

    do_GET = do_POST = do_PUT = forward


class Proxy:
    """`answer` changes a resolve's answer, `ask` the request before it is passed on; both get JSON and give it. `silent` is for how
    many seconds a path is left without an answer."""

    def __init__(self, url, answer=lambda a: a, ask=lambda q: q, silent=None):
        self.host, self.answer, self.ask, self.silent = url.removeprefix("http://"), answer, ask, silent or {}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.proxy = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
