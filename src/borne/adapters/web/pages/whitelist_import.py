"""Import into the local whitelist: preview, then import (manual 5.5)."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.pages.shell import form, page, words_for
from borne.adapters.web.routes import Routes
from borne.application.authorization.whitelist import ImportReport
from borne.application.refusals import Refused

routes = Routes(OPERATOR)

PROBLEMS_SHOWN = 50


@routes.get("/whitelists/import")
async def import_page(request: Request) -> Response:
    return await _page(request)


@routes.post("/whitelists/import")
async def import_list(request: Request) -> Response:
    """Check a list; with `import` in the form also import it. Invalid lines are skipped."""
    fields = await form(request)
    text, replace_all = fields.get("text", ""), fields.get("replace") == "1"
    whitelist, principal = station(request).whitelist, visitor(request).principal
    importing, words = "import" in fields, words_for(request)
    try:
        report = await whitelist.import_text(
            text, principal, dry_run=not importing, replace_all=replace_all
        )
    except Refused as error:
        problem = error.message.render(words)
        return await _page(request, 422, text=text, replace_all=replace_all, problem=problem)
    if importing and not report.bad:
        return RedirectResponse("/whitelists", 303)
    return await _page(request, text=text, replace_all=replace_all, report=report)


async def _page(
    request: Request,
    status: int = 200,
    *,
    text: str = "",
    replace_all: bool = False,
    problem: str = "",
    report: ImportReport | None = None,
) -> Response:
    words = words_for(request)
    variables: dict[str, Any] = {
        "text": text,
        "replace_all": replace_all,
        "problem": problem,
        "report": report,
        "changes": report.added + report.changed + report.removed if report else 0,
        "problems": [
            (each.line, each.text, each.message.render(words))
            for each in (report.problems[:PROBLEMS_SHOWN] if report else ())
        ],
        "not_shown": report.bad - min(PROBLEMS_SHOWN, len(report.problems)) if report else 0,
    }
    return await page(request, "whitelist_import.html", status, **variables)
