"""Options from code, a file and the command line; log set-up; what they print and raise."""

import datetime
import io
import logging
import os
import re
import sys
import tempfile

from tornado import log, options
from tornado.options import Error, OptionParser, define

called = []


def parser():
    made = OptionParser()
    made.define("port", default=8888, type=int, help="port to listen on", metavar="PORT")
    made.define(
        "name",
        default="x",
        help="a name",
        group="application",
        callback=lambda value: called.append(("name", value)),
    )
    made.define("hosts", type=str, multiple=True, help="hosts")
    made.define("numbers", type=int, multiple=True, default=[1])
    made.define("debug", default=False, type=bool)
    made.define("after", type=datetime.timedelta, default=datetime.timedelta(seconds=1))
    made.define("when", type=datetime.datetime)
    made.define("rate", default=1.5)
    made.define("config", type=str, callback=lambda path: made.parse_config_file(path, final=False))
    made.define("dash-ed", default="d")
    made.add_parse_callback(lambda: called.append("parsed"))
    return made


def attempt(arguments, final=True):
    made = parser()
    called.clear()
    try:
        rest = made.parse_command_line(["program", *arguments], final=final)
    except Exception as error:
        print(arguments, "->", type(error) is not SystemExit)
        return made
    values = {name: value for name, value in sorted(made.items()) if name != "help"}
    changed = {n: v for n, v in values.items() if v != parser().as_dict()[n]}
    print(arguments, "->", rest, changed, called)
    return made


for row in (
    [],
    ["--port=1", "rest", "--port=2"],
    ["--port=1", "--", "--name=after"],
    ["-port=5"],
    ["--hosts=a,b", "--numbers=1,3:5", "--debug"],
    ["--debug=false"],
    ["--debug=0"],
    ["--after=1h 30m", "--when=2013-01-27 18:43"],
    ["--after=1.5"],
    ["--after=10ms"],
    ["--when=20130127", "--rate=2"],
    ["--when=18:43"],
    ["--dash_ed=1"],
    ["--dash-ed=2"],
    ["--name=n"],
    ["--port=x"],
    ["--unknown=1"],
    ["--port"],
    ["--after=soon"],
    ["--when=soon"],
    ["--numbers=a"],
):
    attempt(row)

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "server.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            "# -*- coding: utf-8 -*-\nport = 81\nname = 'é' + __file__[-4:]\nignored = 5\n"
            "hosts = ['a', 'b']\nnumbers = '4,5'\nafter = '2m'\nport2 = port\n"
        )
    made = attempt([f"--config={path}"]) if False else parser()
    called.clear()
    made.parse_config_file(path)
    print(made.port, made.name, made.hosts, made.numbers, made.after, called)
    made = parser()
    made.parse_command_line(["p", f"--config={path}", "--port=3"])
    print(made.port, made.name)
    with open(path, "w", encoding="utf-8") as file:
        file.write("port = 'text'\nhosts = 5\n")
    for final in (True, False):
        try:
            parser().parse_config_file(path, final)
        except Exception:
            print("Error")

made = parser()
print(
    list(made)[:3],
    "port" in made,
    made["port"],
    made.port,
    len(made.as_dict()),
    sorted(os.path.basename(name) for name in made.groups()),
)
print(
    made.group_dict("application"),
    made.group_dict(""),
    made.items()[:1] if isinstance(made.items(), list) else list(made.items())[:1],
)
made.port = 9
made["name"] = "set"
print(made.port, called)
for wrong in (
    lambda: made.nothing,
    lambda: made["nothing"],
    lambda: setattr(made, "nothing", 1),
    lambda: setattr(made, "port", "text"),
    lambda: made.define("port", default=1),
    lambda: made.define("x", type=int, multiple=True) or setattr(made, "x", 5),
):
    try:
        wrong()
    except Exception as error:
        print([isinstance(error, kind) for kind in (AttributeError, Error, KeyError)])
mock = made.mockable()
mock.port = 77
print(made.port)
del mock.port
print(made.port)
shown = io.StringIO()
made.print_help(shown)
print(
    re.sub(r"\S*(?=settings\.py)| +$| *\(default \[\]\)", "", shown.getvalue(), flags=re.M).replace(
        "   (", "  ("
    )
)
made.run_parse_callbacks()
define("global_one", default=1, help="defined at the top", group="mine")
print(
    options.options.global_one,
    options.options.logging,
    options.options.log_to_stderr,
    options.options.log_file_max_size,
    options.options.log_rotate_mode,
)
print(
    options.parse_command_line(["p", "--logging=warning", "--global_one=5"]),
    options.options.global_one,
)
print(
    logging.getLogger().level, [type(handler).__name__ for handler in logging.getLogger().handlers]
)

formatter = log.LogFormatter(color=False, fmt="%(levelname)s|%(name)s|%(message)s", datefmt="%Y")
record = logging.LogRecord("n", logging.ERROR, "path/module.py", 5, "text %s\nsecond", ("é",), None)
print(formatter.format(record))
record = logging.LogRecord("n", logging.INFO, "path/module.py", 5, b"bytes \xff", (), None)
print(formatter.format(record))
record = logging.LogRecord("n", logging.INFO, "path/module.py", 5, "bad %d", ("x",), None)
print(re.sub(r"0x\w+", "0x", formatter.format(record).split("\n")[0])[:40])
try:
    raise ValueError("with trace")
except ValueError:
    record = logging.LogRecord("n", logging.ERROR, "m.py", 5, "failed", (), sys.exc_info())
print(formatter.format(record))
default = log.LogFormatter(color=False)
record.created = 0
print(re.sub(r"\d{6} \d\d:\d\d:\d\d", "TIME", default.format(record).split("\n")[0]))
print(
    log.LogFormatter.DEFAULT_FORMAT,
    log.LogFormatter.DEFAULT_DATE_FORMAT,
    sorted(log.LogFormatter.DEFAULT_COLORS.items()),
)
with tempfile.TemporaryDirectory() as folder:
    rotating = OptionParser()
    log.define_logging_options(rotating)
    path = os.path.join(folder, "log")
    rotating.parse_command_line(
        ["p", f"--log_file_prefix={path}", "--log_file_max_size=200", "--log_file_num_backups=2"]
    )
    logger = logging.getLogger("mine")
    for number in range(12):
        logger.warning("line %d of a log that rotates", number)
    print(sorted(os.listdir(folder)))
    print(rotating.logging, log.access_log.name, log.app_log.name, log.gen_log.name)
    for handler in logging.getLogger().handlers:
        handler.close()
    try:
        rotating = OptionParser()
        log.define_logging_options(rotating)
        rotating.parse_command_line(["p", f"--log_file_prefix={path}", "--log_rotate_mode=never"])
    except ValueError as error:
        print(type(error).__name__)
