"""A page in the language of its reader: translations, plurals, dates, and a template that waits.

    curl -H "Accept-Language: fr-CA,fr;q=0.9" http://localhost:8888/?letters=3

The translations are a CSV file, made here at the start; a real program has a folder of them.
"""

import asyncio
import datetime
import tempfile
from pathlib import Path

from zonda import ioloop, web
from zonda.web import locale
from zonda.web.template import DictLoader

FRENCH = """\
"Good day","Bonjour"
"You have one letter","Vous avez une lettre","singular"
"You have %(count)d letters","Vous avez %(count)d lettres","plural"
"%(month_name)s %(day)s, %(year)s","%(day)s %(month_name)s %(year)s"
"April","avril"
"""

PAGE = """\
{% set count = await letters() %}\
<html lang="{{ locale.code }}"><p>{{ _("Good day") }}, {{ name }}.</p>
<p>{{ _("You have one letter", "You have %(count)d letters", count) % {"count": count} }}
{{ locale.format_date(since, full_format=True, shorter=True) }}</p></html>
"""


class MainHandler(web.RequestHandler):
    async def get(self) -> None:
        await self.render_async(
            "page.html",
            name=self.get_argument("name", "Ada"),
            letters=self.count_letters,
            since=datetime.datetime(2013, 4, 28, tzinfo=datetime.UTC),
        )

    async def count_letters(self) -> int:
        await asyncio.sleep(0.01)  # as long as a database takes
        return int(self.get_argument("letters", "1"))


def make_app() -> web.Application:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "fr.csv").write_text(FRENCH, encoding="utf-8")
        locale.load_translations(folder)
    return web.Application([(r"/", MainHandler)], template_loader=DictLoader({"page.html": PAGE}))


if __name__ == "__main__":
    make_app().listen(8888)
    ioloop.IOLoop.current().start()
