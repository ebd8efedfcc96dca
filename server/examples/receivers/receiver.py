#!/usr/bin/env python3
"""Receives wechat-bind's webhooks in Python, without other packages: WEBHOOK_SECRET=whsec_... PORT=5000 receiver.py"""
import base64
import hashlib
import hmac
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE_SECONDS = 300
MAX_BODY = 64 * 1024

KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"][len("whsec_"):])

# In your own receiver use database tables instead, and write them in the transaction of the change.
seen_ids = set()
versions = {}
lock = threading.Lock()


def is_signed(body, headers):
    """The signature covers the bytes as received. The header has one signature for each secret, separated by spaces."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest())
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected, each.encode()) for each in given)


def store_change(event):
    """Store the change here. Do slow work in a job: the server waits 20 s, then sends the event again."""
    data = event["data"]
    print(f"{event['type']} {data['Account']}/{data['User_ID']} version {data['Version']}", flush=True)


def receive(body, headers):
    """Returns the status to answer."""
    if not is_signed(body, headers):
        return 401
    event = json.loads(body)
    data = event["data"]
    user = (data["Tenant"], data["Account"], data["User_ID"])
    with lock:
        if headers["webhook-id"] in seen_ids:
            return 204
        if data["Version"] > versions.get(user, 0):
            store_change(event)
            versions[user] = data["Version"]
        seen_ids.add(headers["webhook-id"])
    return 204


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        status = 413 if length > MAX_BODY else receive(self.rfile.read(length), self.headers)
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "5000"))), Handler)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()
