"""Pages for people: Jinja2 templates, live by htmx and one event stream a page."""
