"""Sentry's SDK, which reports what fails in handlers."""

import concurrent.futures
import json

from tests.programs.harness import Run, free_port

DISTRIBUTIONS = ("sentry-sdk",)
DRIVEN = (
    "its integration with handlers: errors with their request (headers, query, form, JSON, user), "
    "transactions of successes and failures, a trace that is continued, errors that are not "
    "reported (HTTPError 404); requests at once that keep their scopes apart"
)

_PROGRAM = """
import asyncio, json, sys
import sentry_sdk
from sentry_sdk.integrations.tornado import TornadoIntegration
from tornado import web, ioloop

events = []

class Keep(sentry_sdk.transport.Transport):
    def capture_envelope(self, envelope):
        events.extend(item.payload.json for item in envelope.items if item.payload.json)

sentry_sdk.init(
    dsn="http://a@127.0.0.1/1", transport=Keep, integrations=[TornadoIntegration()],
    traces_sample_rate=1.0, send_default_pii=True,
)

class Fail(web.RequestHandler):
    def get_current_user(self):
        return {"id": 42}
    async def get(self):
        sentry_sdk.set_tag("number", self.get_argument("number"))
        await asyncio.sleep(0.05)
        raise ValueError("number " + self.get_argument("number"))
    def post(self):
        1 / 0

class Fine(web.RequestHandler):
    def get(self):
        self.write("fine")

class Missing(web.RequestHandler):
    def get(self):
        raise web.HTTPError(404)

class Events(web.RequestHandler):
    def get(self):
        sentry_sdk.flush()
        self.write(json.dumps({"events": events}, default=str))

web.Application([("/fail", Fail), ("/fine", Fine), ("/missing", Missing), ("/events", Events)]
).listen(int(sys.argv[1]), "127.0.0.1")
ioloop.IOLoop.current().start()
"""


def drive(run: Run) -> None:
    """Do what `DRIVEN` says."""
    (run.folder / "reports.py").write_text(_PROGRAM)
    port = free_port()
    with run.start(port, "-W", "ignore", "reports.py", str(port), tracebacks=8) as server:
        server.wait_for("/fine")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            paths = [f"/fail?number={number}" for number in range(5)]
            answers = list(pool.map(lambda path: server.get(path, {"X-Own": path}), paths))
        assert [answer.status for answer in answers] == [500] * 5
        form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": "a=b"}
        assert server.ask("POST", "/fail?q=1", "name=value", form).status == 500
        assert server.post("/fail", {"name": "value"}).status == 500
        assert server.ask("POST", "/fail", b"\xff", {"Content-Type": "x/y"}).status == 500
        trace = "0123456789abcdef0123456789abcdef"
        fine = server.get("/fine", {"sentry-trace": f"{trace}-0123456789abcdef-1"})
        assert fine.text == "fine"
        assert server.get("/missing").status == 404

        events = server.get("/events").json["events"]
        errors = [event for event in events if event.get("exception")]
        transactions = [event for event in events if event.get("type") == "transaction"]
        assert len(errors) == 8, json.dumps(errors)[:3000]
        for error in errors[:5]:
            [raised] = error["exception"]["values"]
            number = error["tags"]["number"]
            assert raised["value"] == f"number {number}"
            assert error["request"]["query_string"] == f"number={number}"
            assert error["request"]["headers"]["X-Own"] == f"/fail?number={number}"
            assert error["request"]["method"] == "GET"
            assert error["user"]["is_authenticated"] is True
            assert raised["mechanism"] == {"type": "tornado", "handled": False}
        posted = errors[5]["request"]
        assert posted["data"] == {"name": ["value"]}, posted
        assert posted["cookies"] == {"a": "b"}
        assert errors[6]["request"]["data"] == {"name": "value"}
        names = sorted(event["transaction"] for event in transactions)
        assert sum("Fail" in name for name in names) == 8, names
        mine = [each for each in transactions if each["contexts"]["trace"]["trace_id"] == trace]
        assert len(mine) == 1
        assert "Fine" in mine[0]["transaction"]
        assert sum("Missing" in name for name in names) == 1, names
