"""OpenTelemetry's instrumentation of Tornado's server and client."""

from tests.programs.harness import Run, free_port

DISTRIBUTIONS = ("opentelemetry-instrumentation-tornado", "opentelemetry-sdk")
DRIVEN = (
    "spans of handlers and of AsyncHTTPClient's requests, one the child of the other across a "
    "socket; 404, errors, async handlers; captured headers; metrics; uninstrumenting"
)

_PROGRAM = """
import json, sys
from opentelemetry import metrics, trace
from opentelemetry.instrumentation.tornado import TornadoInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
metrics.set_meter_provider(MeterProvider([reader]))
TornadoInstrumentor().instrument()

from tornado import gen, httpclient, ioloop, web

port = int(sys.argv[1])

class Outer(web.RequestHandler):
    async def get(self):
        client = httpclient.AsyncHTTPClient()
        response = await client.fetch(f"http://127.0.0.1:{port}/inner")
        self.set_header("X-Answer", "yes")
        self.write(response.body)

class Inner(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.sleep(0.01)
        self.write("inner")

class Fail(web.RequestHandler):
    def get(self):
        raise RuntimeError("on purpose")

class Report(web.RequestHandler):
    def get(self):
        found = [json.loads(span.to_json()) for span in spans.get_finished_spans()]
        data = reader.get_metrics_data()
        names = [
            metric.name
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]
        self.write({"spans": found, "metrics": sorted(set(names))})

class Off(web.RequestHandler):
    def get(self):
        spans.clear()
        TornadoInstrumentor().uninstrument()

web.Application([
    ("/outer", Outer), ("/inner", Inner), ("/fail", Fail), ("/report", Report), ("/off", Off),
]).listen(port, "127.0.0.1")
ioloop.IOLoop.current().start()
"""


def drive(run: Run) -> None:
    """Do what `DRIVEN` says."""
    (run.folder / "traced.py").write_text(_PROGRAM)
    port = free_port()
    variables = {
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "x-own",
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE": "x-answer",
        "OTEL_PYTHON_TORNADO_EXCLUDED_URLS": "report",
    }
    with run.start(
        port, "-W", "ignore", "traced.py", str(port), tracebacks=None, **variables
    ) as server:
        server.wait_for("/report")
        assert server.get("/outer", {"X-Own": "mine"}).text == "inner"
        assert server.get("/fail").status == 500
        assert server.get("/nowhere").status == 404
        report = server.get("/report").json
        spans = report["spans"]
        by_name = {
            (span["kind"].removeprefix("SpanKind."), span["attributes"].get("http.target")): span
            for span in spans
        }
        outer, inner = by_name["SERVER", "/outer"], by_name["SERVER", "/inner"]
        [client] = [span for span in spans if span["kind"] == "SpanKind.CLIENT"]
        assert client["parent_id"] == outer["context"]["span_id"]
        assert inner["parent_id"] == client["context"]["span_id"]
        assert client["attributes"]["http.status_code"] == 200
        assert outer["attributes"]["http.request.header.x_own"] == ["mine"]
        assert outer["attributes"]["http.response.header.x_answer"] == ["yes"]
        assert outer["attributes"]["tornado.handler"] == "__main__.Outer"
        assert by_name["SERVER", "/fail"]["status"]["status_code"] == "ERROR"
        assert by_name["SERVER", "/nowhere"]["attributes"]["http.status_code"] == 404
        for name in ("http.server.duration", "http.client.duration", "http.server.request.size"):
            assert name in report["metrics"], report["metrics"]
        server.get("/off")
        assert server.get("/outer").text == "inner"
        assert [span["name"] for span in server.get("/report").json["spans"]] in ([], ["GET /off"])
