"""A published issue -> what can be found of it: its highlights, and itself where it says more."""

from publisher.model.issue import Issue, Tag
from publisher.model.publication import Publication
from publisher.model.searchable import Searchable
from publisher.render.plain import plain_text
from publisher.render.views import language_of, title_of
from publisher.site.order import effective_tags


def make_rows(
    issue: Issue, publication: Publication, enough: int | None = None
) -> tuple[Searchable, ...]:
    """The rows of an issue in its order, first the issue's own: its title and its introduction.

    Of their texts, what follows `enough` characters may be left out.
    """
    document = language_of(issue, publication)
    highlights = tuple(
        Searchable(
            id=highlight.id,
            title=highlight.title,
            source=highlight.source,
            tags=_labels(effective_tags(highlight, issue)),
            text=plain_text(highlight.body, enough),
            language=highlight.language or document,
        )
        for highlight in issue.highlights
    )
    text = " ".join(filter(None, (issue.summary, plain_text(issue.introduction, enough))))
    if not (issue.title or text):
        return highlights
    title, tags = title_of(issue, publication), _labels(issue.tags)
    own = Searchable(id="", title=title, source="", tags=tags, text=text, language=document)
    return (own, *highlights)


def _labels(tags: tuple[Tag, ...]) -> str:
    return ", ".join(tag.label for tag in tags)
