"""How `make site` makes the site: Sphinx, Markdown through MyST, the theme furo. Nothing in a page comes from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes  # type: ignore[import-untyped] # ships no types
from sphinx import addnodes

from tocsin import __version__

ROOT = Path(__file__).parents[1]

project = "Tocsin"
version = release = __version__
copyright = "the authors of Tocsin, Apache-2.0"  # noqa: A001 - Sphinx's name for it
extensions = ["myst_parser"]
myst_heading_anchors = 4
exclude_patterns = ["reference.py"]
suppress_warnings = ["misc.highlighting_failure"]  # checks show what is wrong on purpose
html_theme = "furo"
html_title = "Tocsin"
html_static_path = ["pictures", "style"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
pygments_style, pygments_dark_style = "friendly", "native"


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("doctree-read", of_the_checkout)


def of_the_checkout(app: Any, doctree: nodes.document) -> None:
    """Links to files of the checkout that are no pages become their names, or lead to the page that includes them. What exists nowhere stays a fault."""
    beside = (ROOT / "docs" / app.env.docname).parent
    for link in list(doctree.findall(addnodes.pending_xref)):
        target = link["reftarget"]
        page = Path(target).name.lower().removesuffix(".md")
        if page in {"contributing", "changelog"}:
            address = app.builder.get_relative_uri(app.env.docname, page)
            link.replace_self(nodes.reference("", "", *link.children, internal=True, refuri=address))
        elif any((folder / target).exists() for folder in (ROOT, beside)) and not target.endswith(".md"):
            link.replace_self(nodes.literal("", link.astext()))
