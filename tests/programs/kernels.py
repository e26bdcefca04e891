"""Messages of Jupyter kernels over a server's WebSocket."""

import json
import uuid
from typing import Any

from tests.programs.websocket import WebSocket


def run_code(socket: WebSocket, code: str) -> tuple[str, dict[str, Any]]:
    """Execute code in a kernel: what it prints, and the content of its reply."""
    identity = uuid.uuid4().hex
    message = {
        "header": {
            "msg_id": identity,
            "username": "somebody",
            "session": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
        },
        "channel": "shell",
        "buffers": [],
    }
    socket.send(json.dumps(message))
    printed = ""
    reply: dict[str, Any] = {}
    idle = False
    while not (reply and idle):
        answer = json.loads(socket.text())
        if answer["parent_header"].get("msg_id") != identity:
            continue
        content = answer["content"]
        if answer["msg_type"] == "stream":
            printed += content["text"]
        elif answer["msg_type"] == "execute_reply":
            reply = content
        elif answer["msg_type"] == "status":
            idle = content["execution_state"] == "idle"
    return printed, reply
