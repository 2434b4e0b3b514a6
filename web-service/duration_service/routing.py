"""Flask whose pages at a fixed path are found in a table, and whose files survive every date."""

from functools import cached_property
from typing import Any, Final, cast
from urllib.parse import urlsplit

from flask import Flask, Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect, Rule
from werkzeug.wrappers import Response as AnyResponse

# What asks for less than a whole file, or may do so by a date.
PARTIAL: Final = {"HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_IF_MODIFIED_SINCE"}


class DateProofResponse(Response):
    """Flask's answer, but for a date of a size that Werkzeug fails at, such as the year 10^20.

    It is none (RFC 9110, 13.1.3 and 13.1.5): the whole file is sent.
    """

    def make_conditional(self, request_or_environ: Any, *more: Any, **options: Any) -> AnyResponse:
        """Leave out what the caller has, or does not want."""
        try:
            return super().make_conditional(request_or_environ, *more, **options)
        except OverflowError:
            environ = getattr(request_or_environ, "environ", request_or_environ)
            whole = {name: value for name, value in environ.items() if name not in PARTIAL}
            return super().make_conditional(whole, *more, **options)


class TableRoutedFlask(Flask):
    """Flask, but for how it finds a page whose path has no parts that vary, and leads to another.

    Its search leaves objects behind at every request that only the collector of garbage can free,
    which then holds all requests of the process up for 10 to 40 ms every few seconds.
    """

    response_class = DateProofResponse

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What finds the request's page."""
        # Which hosts are trusted, Flask looks at.
        if request and not self.config["TRUSTED_HOSTS"]:
            environ = request.environ
            if rule := self._fixed.get((environ["REQUEST_METHOD"], environ["PATH_INFO"])):
                return cast("MapAdapter", _Found(self, request, rule))
        return super().create_url_adapter(request)

    def handle_http_exception(self, e: HTTPException) -> Any:
        """Answer it; where a page is elsewhere, by its path alone.

        A proxy in front may speak https with the callers, which nobody here knows.
        """
        if isinstance(e, RequestRedirect):
            e.new_url = urlsplit(e.new_url)._replace(scheme="", netloc="").geturl()
        return super().handle_http_exception(e)

    @cached_property
    def _fixed(self) -> dict[tuple[str, str], Rule]:
        """The rules by method and path; Flask takes no more of them once it was asked."""
        found: dict[tuple[str, str], Rule] = {}
        for rule in filter(_is_plain, self.url_map.iter_rules()):
            for method in rule.methods or ():
                found.setdefault((method, rule.rule), rule)
        return found


def _is_plain(rule: Rule) -> bool:
    """Whether a path is all that the rule looks at, and a page all that it leads to."""
    more = rule.arguments or rule.subdomain or rule.host or rule.redirect_to or rule.alias
    return not (more or rule.build_only or rule.websocket)


class _Found:
    """A rule that was found; Flask's own adapter where it is asked for anything else."""

    def __init__(self, app: Flask, request: Request, rule: Rule) -> None:
        self._app, self._request, self._rule = app, request, rule

    def match(self, *, return_rule: bool) -> tuple[Rule, dict[str, Any]]:  # noqa: ARG002
        """What Flask asks for at every request."""
        return self._rule, {}

    def __getattr__(self, name: str) -> Any:
        return getattr(Flask.create_url_adapter(self._app, self._request), name)
