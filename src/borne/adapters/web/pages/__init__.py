"""Pages for people: Jinja2 templates, kept live by htmx and one event stream per page."""
