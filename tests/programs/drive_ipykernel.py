"""A Jupyter kernel and its client: pyzmq's streams on the loop."""

from tests.programs.harness import Run

DISTRIBUTIONS = ("ipykernel", "jupyter_client", "pyzmq")
DRIVEN = (
    "a kernel started by jupyter_client; code executed, an error, an interrupt, input; "
    "top-level await and tornado's coroutines in the kernel; a restart; "
    "zmq's ZMQStream in a program of its own"
)

_CLIENT = """
import asyncio, sys
from jupyter_client.manager import AsyncKernelManager

async def run(client, code, **keywords):
    out = []
    def hook(message):
        if message["msg_type"] == "stream":
            out.append(message["content"]["text"])
    reply = await client.execute_interactive(code, output_hook=hook, timeout=60, **keywords)
    return "".join(out), reply["content"]

async def main():
    manager = AsyncKernelManager()
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=60)
    printed, reply = await run(client, "print(6 * 7)")
    assert (printed, reply["status"]) == ("42\\n", "ok"), (printed, reply)
    printed, reply = await run(client, "1 / 0", stop_on_error=False)
    assert reply["ename"] == "ZeroDivisionError"
    printed, reply = await run(client, "import asyncio; await asyncio.sleep(0.01); print('slept')")
    assert printed == "slept\\n", printed
    code = '''
import tornado.web, zonda.web
from tornado import gen
from tornado.ioloop import IOLoop
@gen.coroutine
def old():
    yield gen.sleep(0.01)
    raise gen.Return("old")
here = IOLoop.current().asyncio_loop is asyncio.get_running_loop()
print(await old(), tornado.web is zonda.web, here)
'''
    printed, reply = await run(client, code)
    assert printed == f"old {sys.argv[1]} True\\n", printed
    waiting = asyncio.ensure_future(run(client, "import time; time.sleep(60)"))
    await asyncio.sleep(1)  # it has to be running to be interrupted
    await manager.interrupt_kernel()
    printed, reply = await waiting
    assert reply["ename"] == "KeyboardInterrupt", reply
    def answer(message):
        client.input("from outside")
    printed, reply = await run(client, "print(input('?'))", allow_stdin=True, stdin_hook=answer)
    assert printed == "from outside\\n", printed
    await run(client, "x = 1")
    await manager.restart_kernel()
    await client.wait_for_ready(timeout=60)
    printed, reply = await run(client, "x")
    assert reply["ename"] == "NameError", reply
    client.stop_channels()
    await manager.shutdown_kernel()
    print("done")

asyncio.run(main())
"""

_STREAM = """
import zmq
from tornado.ioloop import IOLoop
from zmq.eventloop.zmqstream import ZMQStream

context = zmq.Context()
server, client = context.socket(zmq.REP), context.socket(zmq.REQ)
port = server.bind_to_random_port("tcp://127.0.0.1")
client.connect(f"tcp://127.0.0.1:{port}")
loop = IOLoop.current()
serving, asking = ZMQStream(server), ZMQStream(client)
serving.on_recv(lambda parts: serving.send(b"<" + parts[0] + b">"))
got = []
def received(parts):
    got.append(parts[0])
    if len(got) == 100:
        loop.stop()
    else:
        asking.send(str(len(got)).encode())
asking.on_recv(received)
asking.send(b"0")
loop.call_later(30, loop.stop)
loop.start()
assert got == [b"<%d>" % n for n in range(100)], got
serving.close(); asking.close(); context.term()
print("done")
"""


def drive(run: Run) -> None:
    """Do what `DRIVEN` says."""
    for name, text in (("client.py", _CLIENT), ("stream.py", _STREAM)):
        (run.folder / name).write_text(text)
        said = run.python("-W", "ignore", name, str(run.drop_in))
        assert said.splitlines()[-1] == "done", said
