"""The sample articles: many kinds, one correction, one broken message."""

from services.cli.articles import Broken, Message, messages, parse
from services.cli.demo import SAMPLES

FOUND = [(path, found) for path in sorted(SAMPLES.iterdir()) for found in messages(path)]


def test_there_are_enough_and_only_one_is_broken() -> None:
    assert sum(isinstance(found, Message) for _, found in FOUND) >= 12
    assert sum(isinstance(found, Broken) for _, found in FOUND) == 1


def test_a_correction_follows_the_article_that_it_corrects() -> None:
    read = [parse(found.value, found.origin) for _, found in FOUND if isinstance(found, Message)]
    versions = [(article.article_id, article.revision) for article in read]
    assert len(set(versions)) == len(versions)
    [corrected] = [version for version in versions if version[1] == 1]
    assert versions.index((corrected[0], 0)) < versions.index(corrected)
