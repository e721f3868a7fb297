"""A mail server for one test: python3 smtp_server.py PORT [starttls|smtps CERTIFICATE KEY].

Keeps what it takes in letters/, one file each. With a certificate it takes letters over TLS alone, and from coffer
with its password alone. Addresses that begin with "refused" have no mailbox; those that begin with "later" are told
to try again.
"""

import os
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return f"550 5.1.1 No mailbox {address} here"
        if address.startswith("later"):
            return f"451 4.2.1 {address} is busy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = f"letters/{time.time_ns()}"
        with open(name + ".part", "wb") as file:
            file.write(envelope.content)
        os.rename(name + ".part", name + ".eml")
        return "250 OK"


def log_in(server, session, envelope, mechanism, data):
    success = (data.login, data.password) == (b"coffer", b"p@ss word")
    # A refusal that counts as handled is one that nobody sends.
    return AuthResult(success=success, handled=success)


def security(mode, certificate, key):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    # aiosmtpd asks in words of its own for LOGIN, which Alertmanager takes for a fault.
    options = {"auth_required": True, "authenticator": log_in, "auth_exclude_mechanism": ["LOGIN"]}
    if mode == "starttls":
        return {**options, "tls_context": context, "require_starttls": True}
    # The server's own check knows STARTTLS alone.
    return {**options, "ssl_context": context, "auth_require_tls": False}


os.makedirs("letters", exist_ok=True)
options = security(*sys.argv[2:]) if len(sys.argv) > 2 else {}
try:
    Controller(Handler(), hostname="127.0.0.1", port=int(sys.argv[1]), **options).start()
except OSError as error:
    sys.exit(f"Address already in use: {error}")
print("ready for letters", flush=True)
while True:
    time.sleep(60)
