"""A mail server for one test: python3 smtp_server.py PORT. Keeps what it takes in letters/, one file each.

Addresses that begin with "refused" have no mailbox; those that begin with "later" are told to try again.
"""

import os
import sys
import time

from aiosmtpd.controller import Controller


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


os.makedirs("letters", exist_ok=True)
try:
    Controller(Handler(), hostname="127.0.0.1", port=int(sys.argv[1])).start()
except OSError as error:
    sys.exit(f"Address already in use: {error}")
print("ready for letters", flush=True)
while True:
    time.sleep(60)
