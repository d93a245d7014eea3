"""Names found and grouped, and whom words refer to."""

from collections.abc import Callable

import pytest
from spacy.language import Language

from schemas import Entity, EntityType, MentionKind
from services.extraction import grouping, models, truecase
from services.extraction.coreference import Coreference
from services.extraction.document import parse
from services.extraction.phrases import Name
from services.extraction.tokens import Tokens, head_of, open_sentences, tokens_of

Reading = Callable[[str], Coreference]


@pytest.fixture(scope="session")
def nlp() -> Language:
    return models.load(models.DEFAULT_MODELS["en"], models.OPTIONAL)


@pytest.fixture
def read(nlp: Language) -> Reading:
    def coreference(text: str) -> Coreference:
        document = parse(text)
        doc = open_sentences(document, nlp.make_doc(truecase.readable(document)))
        for _, component in nlp.pipeline:
            doc = component(doc)
        return Coreference(document, doc, "article")

    return coreference


def whom(coreference: Coreference, text: str, words: str) -> str | None:
    start = text.index(words)
    entity = coreference.resolve(start, start + len(words))
    return entity.name if entity else None


def test_tokens_are_those_of_spacy(nlp: Language) -> None:
    doc = nlp("Angela Merkel's  plan\n\nfailed — “badly”, he said. Nobody wept.")
    tokens = Tokens.of(doc)
    assert tokens.texts == [token.text for token in doc]
    assert tokens.starts == [token.idx for token in doc]
    assert tokens.heads == [token.head.i for token in doc]
    assert tokens.deps == [token.dep_ for token in doc]
    assert tokens.pos == [token.pos_ for token in doc]
    assert tokens.sentences == [token.sent.start for token in doc]
    assert tokens.text == doc.text


def test_tokens_of_offsets_and_their_head(nlp: Language) -> None:
    doc = nlp("The new prime minister of France spoke.")
    tokens = Tokens.of(doc)
    first, last = tokens_of(tokens, 4, 32)
    assert tokens.texts[first:last] == ["new", "prime", "minister", "of", "France"]
    assert tokens.texts[head_of(tokens, first, last)] == "minister"


def test_headline_is_a_sentence_of_its_own(nlp: Language) -> None:
    document = parse("Minister resigns\nShe left on Monday after talks.")
    doc = open_sentences(document, nlp.make_doc(document.text))
    assert [token.text for token in doc if token.is_sent_start] == ["Minister", "She"]


def test_ids_are_stable_and_unique(read: Reading) -> None:
    text = "John Smith met John Smith. The other Smith, of Smith Ltd., stayed in Smith."
    first, second = read(text), read(text)
    ids = [entity.id for entity in first.entities]
    assert ids == [entity.id for entity in second.entities]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Italian Prime Minister Matteo Renzi", "Matteo Renzi"),
        ("Renzi aides", None),
        ("some Republicans", None),
        ("63 percent", None),
        ("the party's chairwoman, Ada Rossi,", "Ada Rossi"),
        ("who", "Ada Rossi"),
        ("Renzi and Rossi", None),
    ],
)
def test_head_of_the_words_decides_whom_they_mean(read: Reading, words: str, name: str | None) -> None:
    text = (
        "Italian Prime Minister Matteo Renzi spoke first. Renzi aides were pleased, some Republicans were not, "
        "and 63 percent did not care. He praised the party's chairwoman, Ada Rossi, who smiled. "
        "Then Renzi and Rossi left."
    )
    assert whom(read(text), text, words) == name


def test_name_of_several_people_and_of_somebody_s_people(read: Reading) -> None:
    text = "Barack Obama met Hillary Clinton. Obama and Clinton agreed. The Clinton campaign was happy."
    coreference = read(text)

    def called(words: str) -> str | None:
        start = text.index(words)
        return coreference.name(start, start + len(words))

    assert called("Obama and Clinton") == "Barack Obama and Hillary Clinton"
    assert called("The Clinton campaign") == "Clinton campaign"
    assert called("happy") is None


def test_following_goes_on_by_its_name(read: Reading) -> None:
    text = "The Ellingsen administration raised the tax. Farmers protested. The administration said that it was right."
    start = text.index("The administration")

    assert read(text).name(start, start + len("The administration")) == "Ellingsen administration"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("President Martha Ellingsen arrived. The administration said that it was ready.", "Ellingsen administration"),
        ("Former President Martha Ellingsen arrived. The administration said that it was ready.", None),
        ("Martha Ellingsen, president of the Rowing Club, came. The administration said that it was ready.", None),
        ("The administration said that it was ready.", None),
    ],
)
def test_administration_is_that_of_the_only_president(read: Reading, text: str, name: str | None) -> None:
    start = text.index("The administration")

    assert read(text).name(start, start + len("The administration")) == name


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("A Reuters poll", "Reuters"),
        ("A study released by Martha Ellingsen", "Martha Ellingsen"),
        ("A study seen by Sky News", None),
        ("A study of Germany", None),
        ("A Reuters photograph", None),
    ],
)
def test_document_speaks_for_its_maker(read: Reading, words: str, name: str | None) -> None:
    assert read(f"{words} shows that people are tired.").name(0, len(words)) == name


def test_name_set_beside_a_speaker_is_the_speaker_s(read: Reading) -> None:
    text = "The team's coach, Paul Quill, said that they had trained for months."

    found = read(text).resolve(0, len("The team's coach"))

    assert found is not None
    assert found.name == "Paul Quill"


def test_two_arguments_of_a_verb_are_two_people(read: Reading) -> None:
    text = "Emmanuel Macron spoke. Olaf Scholz praised him."
    assert whom(read(text), text, "him") == "Emmanuel Macron"


def test_pronoun_never_means_somebody_of_a_caption(read: Reading) -> None:
    text = (
        "Talks fail\nAngela Merkel left the talks on Monday. She was angry.\n"
        "A handshake in Paris. (Anna Berg/Getty Images)\n“It is over,” she said."
    )
    coreference = read(text)
    start = text.index("she said")
    entity = coreference.resolve(start, start + 3)
    assert entity is not None
    assert entity.name == "Angela Merkel"


def test_speaker_is_not_who_is_named_in_the_quote(read: Reading) -> None:
    text = "Henry Crespo is worried. “Barack Obama had songs. Obama had will.i.am,” he said."
    assert whom(read(text), text, "he said"[:2]) == "Henry Crespo"


def test_descriptions_of_different_places_are_different_people(read: Reading) -> None:
    text = "Russian President Vladimir Putin met President Joe Biden. The Russian president left."
    assert whom(read(text), text, "The Russian president") == "Vladimir Putin"


def test_salience_puts_the_subject_of_the_headline_first(read: Reading) -> None:
    text = "Merkel resigns\nAngela Merkel resigned on Monday. She thanked Germany.\nA crowd. (Anna Berg/Getty Images)"
    entities: list[Entity] = read(text).entities
    ranked = sorted(entities, key=lambda entity: -entity.salience)
    assert (ranked[0].name, ranked[0].salience) == ("Angela Merkel", 1.0)
    assert ranked[-1].name in ("Anna Berg", "Getty Images")


def test_text_without_names_has_no_entities(read: Reading) -> None:
    assert read("").entities == []
    assert read("nothing here at all").entities == []


def test_kinds_of_mentions(read: Reading) -> None:
    text = "French President Emmanuel Macron smiled. The French president waved. He left."
    person = next(entity for entity in read(text).entities if entity.type is EntityType.PERSON)
    kinds = [mention.kind for mention in person.mentions]
    assert kinds == [MentionKind.NAME, MentionKind.NOMINAL, MentionKind.PRONOUN]


@pytest.mark.parametrize(
    ("word", "other", "slip"),
    [
        ("butte", "rutte", True),
        ("ruttte", "rutte", True),
        ("rute", "rutte", True),
        ("rtute", "rutte", True),
        ("rutte", "rutte", False),
        ("bottle", "rutte", False),
    ],
)
def test_one_slip(word: str, other: str, slip: bool) -> None:
    assert grouping.one_slip(word, other) is slip
    assert grouping.one_slip(other, word) is slip


def test_shared_surname_stays_two_people() -> None:
    text = "Bill Clinton and Hillary Clinton came. Mrs. Clinton spoke. Mr. Clinton listened."
    places = [(0, 12), (17, 32), (44, 51), (63, 70)]
    names = [Name(start, end, EntityType.PERSON) for start, end in places]
    groups = grouping.group(text, names)
    assert [group.canonical for group in groups] == ["Bill Clinton", "Hillary Clinton"]
    assert [[name.start for name in group.names] for group in groups] == [[0, 63], [17, 44]]
