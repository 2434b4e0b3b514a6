"""`GET /docs/`: the API to read and to try, by Swagger UI, whose files the service carries."""

from typing import Final

from flask import Blueprint, Response
from flask_swagger_ui import get_swaggerui_blueprint

# The page may load, run and ask what this service serves and nothing else; Swagger UI's page holds
# its configuration in a script, and its icons in its style sheet.
POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:"
)
# Swagger UI's page has none, and a phone would lay it out as for a screen of 980 pixels.
VIEWPORT: Final = '<meta name="viewport" content="width=device-width, initial-scale=1">'


def browser() -> Blueprint:
    """The page and its files."""
    # Seen from /docs/, so that they hold below an API's stage or another prefix as well.
    blueprint: Blueprint = get_swaggerui_blueprint(
        ".",
        "../openapi.json",
        config={
            "app_name": "How long a Chicago taxi trip takes",
            "layout": "BaseLayout",
            "tryItOutEnabled": True,
            # Without these it would send the description to a server that judges it, and offer a
            # sign-in that there is not.
            "validatorUrl": None,
            "oauth2RedirectUrl": None,
        },
    )
    blueprint.url_prefix = "/docs"
    blueprint.after_request(_stay_here)
    blueprint.after_request(_fit_screen)
    return blueprint


def _stay_here(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


def _fit_screen(answer: Response) -> Response:
    # Its files, which are handed out as they are, need no change.
    if not answer.direct_passthrough:
        answer.set_data(answer.get_data(as_text=True).replace("<head>", f"<head>\n  {VIEWPORT}", 1))
    return answer
