"""A mail server for tests: aiosmtpd on a free port of loopback.

Prints one JSON object a line: first {"port": …}, then one for each message it took. Ends when its
standard input ends. Options: --starttls, --tls (with --folder for ca.pem, made here), --login
USER:PASSWORD, --refuse ADDRESS (550), --greet CODE (refuses everybody at EHLO), --busy N (451 for
the first N messages).
"""

import argparse
import email
import email.policy
import json
import logging
import socket
import ssl
import sys
import warnings

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

# Logins without TLS are what some tests are about.
warnings.simplefilter("ignore")
logging.getLogger("mail.log").setLevel(logging.ERROR)

options = argparse.ArgumentParser()
options.add_argument("--starttls", action="store_true")
options.add_argument("--tls", action="store_true")
options.add_argument("--folder")
options.add_argument("--login")
options.add_argument("--refuse")
options.add_argument("--greet", type=int)
options.add_argument("--busy", type=int, default=0)
options = options.parse_args()


def say(value):
    print(json.dumps(value), flush=True)


class Handler:
    busy = options.busy

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        if options.greet:
            return [f"{options.greet} go away"]
        return responses

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address == options.refuse:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.busy > 0:
            self.busy -= 1
            return "451 4.3.2 busy, try again"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say({
            "from": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "headers": [[name, str(value)] for name, value in message.items()],
            "body": message.get_content(),
            "tls": session.ssl is not None or options.tls,
            "login": bool(session.authenticated),
        })
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    sent = f"{data.login.decode()}:{data.password.decode()}"
    return AuthResult(success=sent == options.login, handled=False)


context = None
if options.tls or options.starttls:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(f"{options.folder}/ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)


# Bound before the server knows of it: a free port that is only looked up may be taken meanwhile.
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
port = listener.getsockname()[1]


class Server(Controller):
    def factory(self):
        return SMTP(
            self.handler,
            tls_context=context if options.starttls else None,
            require_starttls=options.starttls,
            authenticator=authenticate if options.login else None,
            auth_required=bool(options.login),
            auth_require_tls=options.starttls,
        )

    def _create_server(self):
        return self.loop.create_server(self._factory_invoker, sock=listener, ssl=self.ssl_context)


server = Server(Handler(), hostname="127.0.0.1", port=port, ssl_context=context if options.tls else None)
server.start()
say({"port": port})
sys.stdin.read()
server.stop()
