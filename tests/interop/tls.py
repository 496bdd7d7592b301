"""What the tests of TLS share: certificates that are made for one run, contexts with them, and a server that
tells what came."""
import atexit
import os
import shutil
import socket
import ssl
import tempfile
import threading

from harness import START_TIMEOUT_S, check_equal, run_program, skip_all


class Certificates:
    """What the program make_certificates has written; see there for the names."""

    def __init__(self, make_certificates):
        self.directory = tempfile.mkdtemp(prefix="sansock-certificates-")
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)
        result = run_program(make_certificates, self.directory)
        check_equal((result.returncode, result.stderr), (0, ""), "make_certificates")

    def path(self, name):
        return os.path.join(self.directory, name)

    def text(self, name):
        with open(self.path(name), encoding="ascii") as file:
            return file.read()

    def pair(self, name):
        return self.path(f"{name}.pem"), self.path(f"{name}.key")

    def arguments(self, *names):
        """Options of our programs that show these certificates."""
        return [word for name in names
                for word in ("--tls-cert", self.path(f"{name}.pem"), "--tls-key", self.path(f"{name}.key"))]

    def trust(self, name="ca"):
        """Options of our client that trust this authority."""
        return ["--tls-ca", self.path(f"{name}.pem")]

    def server_context(self, name="server"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.pair(name))
        return context

    def client_context(self, roots="ca", **options):
        context = ssl.create_default_context(cafile=self.path(f"{roots}.pem"))
        if "certificate" in options:
            context.load_cert_chain(*self.pair(options["certificate"]))
        return context


def make_certificates_or_skip(make_certificates):
    """Certificates, where TLS is built in; elsewhere the tests are skipped."""
    if make_certificates == "none":
        skip_all("TLS is not built")
    return Certificates(make_certificates)


def only(context, version):
    """The context for this version and no other."""
    if version < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")  # else OpenSSL refuses it by itself
    context.minimum_version = version
    context.maximum_version = version
    return context


class Listener:
    """A server for one connection, which is of TLS unless `context` is None: `with Listener(context) as it`.
    After it, `received` has what came inside TLS, `problem` what OpenSSL said of it."""

    def __init__(self, context=None, answer=None):
        self.context = context
        self.answer = answer
        self.received = b""
        self.problem = ""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(START_TIMEOUT_S)
        self.port = self.socket.getsockname()[1]
        self.url = f"wss://127.0.0.1:{self.port}/"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)  # if nobody came, nobody comes now
        self.thread.join(START_TIMEOUT_S)
        self.socket.close()

    def serve(self):
        try:
            connection, _ = self.socket.accept()
            connection.settimeout(START_TIMEOUT_S)
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                if self.answer is not None:
                    connection.sendall(self.answer)
                while part := connection.recv(65536):
                    self.received += part
        except OSError as problem:  # ssl.SSLError is one
            self.problem = str(problem)
