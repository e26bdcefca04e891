"""Signing in through any OpenID Connect provider: Google, Microsoft, Keycloak, your own.

Needs the extra ``zonda-web[auth]``. Tell the provider that users come back to
http://localhost:8888/login, and run it with what the provider tells you:

    OIDC_ISSUER=https://accounts.google.com OIDC_CLIENT_ID=... OIDC_CLIENT_SECRET=... \\
        python examples/signin.py
"""

import os

from zonda import ioloop, web
from zonda.web.auth import AuthError, OpenIDConnectMixin


class HomeHandler(web.RequestHandler):
    def get_current_user(self) -> str | None:
        user = self.get_signed_cookie("user")
        return None if user is None else user.decode()

    @web.authenticated
    def get(self) -> None:
        self.write(f"You are {self.current_user}")


class LoginHandler(web.RequestHandler, OpenIDConnectMixin):
    async def get(self) -> None:
        if not self.is_oidc_return():
            await self.authorize_redirect()
            return
        try:
            user = await self.get_authenticated_user()
        except AuthError as error:
            raise web.HTTPError(403, "sign-in failed: %s", error) from error
        # Names and addresses change hands; the provider and its "sub" together do not.
        self.set_signed_cookie("user", f"{user['sub']} at {user['iss']}", httponly=True)
        self.redirect("/")


def make_app() -> web.Application:
    return web.Application(
        [(r"/", HomeHandler), (r"/login", LoginHandler)],
        cookie_secret="not for production: take a random one, and keep it",
        login_url="/login",
        oidc={
            "issuer": os.environ.get("OIDC_ISSUER", "https://accounts.google.com"),
            "client_id": os.environ.get("OIDC_CLIENT_ID", ""),
            "client_secret": os.environ.get("OIDC_CLIENT_SECRET", ""),
        },
    )


if __name__ == "__main__":
    make_app().listen(8888)
    ioloop.IOLoop.current().start()
