"""Error pages: what happened, and what to do."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from borne.adapters.web.errors import ApiError
from borne.adapters.web.pages.shell import page, words_for
from borne.foundation.messages import N_

TITLES: dict[int, str] = {
    400: N_("The request cannot be read"),
    403: N_("Not with this account"),
    404: N_("This page does not exist"),
    405: N_("This page cannot do that"),
    409: N_("Not now"),
    413: N_("That is too large"),
    500: N_("Something went wrong"),
    503: N_("Not now"),
}


async def problem_page(request: Request, error: ApiError) -> Response:
    """The page for an error; without a stack trace."""
    if error.code == "no_power":
        return await page(request, "no_power.html", 503)
    words = words_for(request)
    return await page(
        request,
        "problem.html",
        error.status,
        title=words(TITLES.get(error.status, N_("That did not work"))),
        message=error.message.render(words),
        status=error.status,
        error_id=error.details.get("error_id", ""),
        can_change_role=error.code == "forbidden",
    )
