"""Uploads of any size: digests of files that are never in memory as a whole.

curl -F comment=mine -F file=@/bin/sh http://localhost:8888/digests
"""

import asyncio
import hashlib

from zonda import web
from zonda.web.uploads import Part


class DigestsHandler(web.UploadHandler):
    def prepare(self) -> None:
        self.digests: dict[str, str] = {}

    async def part_received(self, part: Part) -> None:
        if not part.filename:
            await self.keep(part)
            return
        digest = hashlib.sha256()
        async for chunk in part:
            digest.update(chunk)
        self.digests[part.filename] = digest.hexdigest()

    def post(self) -> None:
        self.write({"comment": self.get_body_argument("comment", ""), "digests": self.digests})


async def main() -> None:
    web.Application([(r"/digests", DigestsHandler)]).listen(8888)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
