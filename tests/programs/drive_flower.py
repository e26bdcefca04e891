"""Flower, Celery's monitor, with a broker in memory."""

import base64

from tests.programs.harness import Run, free_port

DISTRIBUTIONS = ("flower", "celery")
DRIVEN = (
    "pages, static files, metrics and API of `celery flower`; basic authentication; a task sent "
    "through the API"
)

_CELERY = """
from celery import Celery
app = Celery("work", broker="memory://", backend="cache+memory://")
@app.task
def add(x, y):
    return x + y
"""
_AUTH = {"Authorization": "Basic " + base64.b64encode(b"user:secret").decode()}


def drive(run: Run) -> None:
    """Do what `DRIVEN` says."""
    (run.folder / "work.py").write_text(_CELERY)
    port = free_port()
    with run.start(
        port,
        *("-W", "ignore", "-m", "celery", "-A", "work", "flower", f"--port={port}"),
        *("--address=127.0.0.1", "--basic_auth=user:secret", "--max_tasks=10"),
        FLOWER_UNAUTHENTICATED_API="true",
    ) as flower:
        flower.wait_for("/healthcheck")
        for path in ("/", "/workers", "/tasks", "/api/workers", "/api/tasks"):
            assert flower.get(path).status == 401, path
            assert flower.get(path, _AUTH).status == 200, path
        assert "flower" in flower.get("/workers", _AUTH).text.lower()
        style = flower.get("/static/css/flower.css", _AUTH)
        assert style.headers.get_content_type() == "text/css"
        again = flower.get("/static/css/flower.css", {"If-None-Match": style.headers["ETag"]})
        assert again.status == 304
        assert flower.get("/broker", _AUTH).status == 404  # a broker in memory has no page
        assert flower.get("/nope", _AUTH).status == 404
        assert "flower_" in flower.get("/metrics", _AUTH).text
        assert flower.get("/api/tasks", _AUTH).json == {}
        sent = flower.post("/api/task/send-task/work.add", {"args": [1, 2]}, _AUTH)
        assert sent.status == 200
        assert sent.json["state"] == "PENDING"
        applied = flower.post("/api/task/async-apply/work.add", {"args": [1, 2]}, _AUTH)
        assert applied.json["task-id"]
        wrong = flower.ask("POST", "/api/task/async-apply/work.add", "[1]", _AUTH)
        assert wrong.status == 400
