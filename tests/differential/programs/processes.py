"""Children: Subprocess with streams, exit codes; forked servers; what they raise."""

import asyncio
import os
import signal
import subprocess
import sys

from tornado import gen, httpserver, netutil, process, web
from tornado.ioloop import IOLoop
from tornado.process import CalledProcessError, Subprocess


async def pipeline():
    stream = Subprocess.STREAM
    upper = Subprocess(
        [sys.executable, "-c", "import sys; sys.stdout.write(sys.stdin.read().upper())"],
        stdin=stream,
        stdout=stream,
    )
    print(upper.pid > 0, type(upper.stdin).__name__, upper.stderr, upper.returncode)
    await upper.stdin.write(b"some text\n")
    upper.stdin.close()
    print(await upper.stdout.read_until_close(), await upper.wait_for_exit(), upper.returncode)
    both = Subprocess("echo out; echo err >&2; exit 3", shell=True, stdout=stream, stderr=stream)
    print(await gen.multi([both.stdout.read_until_close(), both.stderr.read_until(b"\n")]))
    try:
        await both.wait_for_exit()
    except CalledProcessError as error:
        print(
            type(error).__name__, error.returncode, isinstance(error, subprocess.CalledProcessError)
        )
    print(await Subprocess(["sh", "-c", "exit 4"]).wait_for_exit(raise_error=False))
    killed = Subprocess(["sleep", "60"], stdout=subprocess.DEVNULL)
    os.kill(killed.pid, signal.SIGTERM)
    print(await killed.wait_for_exit(raise_error=False))
    codes = []
    last = Subprocess(["true"])
    last.set_exit_callback(lambda code: codes.append(code))
    for _ in range(100):
        if codes:
            break
        await asyncio.sleep(0.01)
    print(codes, last.proc.returncode if hasattr(last, "proc") else 0)
    try:
        Subprocess(["/no/such/program"])
    except OSError as error:
        print(type(error).__name__)
    Subprocess.uninitialize()
    print(process.cpu_count() > 0, process.task_id())


class Which(web.RequestHandler):
    def get(self):
        self.write(f"child {process.task_id()}")


def forked():
    sockets = netutil.bind_sockets(0, "127.0.0.1")
    read, write = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            number = process.fork_processes(2, max_restarts=0)
            os.write(write, b"c%d" % number)
            os._exit(0)
        except SystemExit as error:
            os.write(write, b"exit%s" % str(error.code).encode())
            os._exit(0)
        except RuntimeError as error:
            os.write(write, type(error).__name__.encode())
            os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    text = b""
    while part := os.read(read, 100):
        text += part
    print(sorted(text.replace(b"c", b" c").replace(b"exit", b" exit").split()))
    os.close(read)
    for sock in sockets:
        sock.close()


def inside():
    async def main():
        try:
            process.fork_processes(1)
        except (RuntimeError, SystemExit) as error:
            print(type(error).__name__)
        server = httpserver.HTTPServer(web.Application([]))
        try:
            server.start(2)
        except (RuntimeError, SystemExit) as error:
            print(type(error).__name__)

    IOLoop().run_sync(main)


asyncio.run(pipeline())
forked()
print(
    netutil.is_valid_ip("::1"),
    netutil.is_valid_ip("localhost"),
    netutil.is_valid_ip(""),
    netutil.is_valid_ip("1.2.3"),
    netutil.is_valid_ip("127.0.0.1\x00"),
)
