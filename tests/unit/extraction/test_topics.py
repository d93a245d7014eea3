"""What positions are about: the examples of `topics.yaml`, doubt, and that the same words give the same scores."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import RawArticle
from services.extraction import topics
from services.extraction.pipeline import Pipeline

EXAMPLES = yaml.safe_load((Path(__file__).parent / "topics.yaml").read_text(encoding="utf-8"))
POLICY_CODES = {str(code) for code in range(1, 24)} - {"11", "22"}


UNSURE = pytest.mark.xfail(strict=True, reason="headlines and positions on this topic are too few to learn it from")


def cases() -> list[Any]:
    return [
        pytest.param(code, example, id=f"{code}-{number}", marks=[UNSURE] if example.get("unsure") else [])
        for code, examples in EXAMPLES.items()
        for number, example in enumerate(examples, 1)
    ]


@pytest.fixture(scope="module")
def model() -> topics.Topics:
    return topics.Topics()


def codes(found: list[topics.Topic]) -> list[str]:
    return [topic.code for topic in found]


def test_every_policy_topic_has_an_example() -> None:
    assert set(EXAMPLES) == POLICY_CODES


@pytest.mark.parametrize(("code", "example"), cases())
def test_names_the_topic_of_the_example_first(model: topics.Topics, code: str, example: dict[str, Any]) -> None:
    assert example["target"] in example["evidence"]
    found = model.position(example["target"], example["evidence"], example["evidence"])
    assert codes(found)[0] == code, found


class TestOther:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            " \n ",
            "it",
            "???",
            "Blorf wexil druvny",
            "これは法案ではない",
            "that plan and those ideas",
            "\x00\ud800",
        ],
    )
    def test_is_what_words_without_a_topic_get(self, model: topics.Topics, text: str) -> None:
        (found,) = model.position(text, text, "")
        assert found.code == topics.OTHER
        assert 0.5 < found.score <= 1

    def test_comes_alone(self, model: topics.Topics) -> None:
        assert codes(model.position("the idea", "He likes the idea.", "")) == [topics.OTHER]

    def test_is_no_code_of_the_scheme(self, model: topics.Topics) -> None:
        assert topics.OTHER not in model.codes
        assert set(model.codes) >= POLICY_CODES


class TestScores:
    def test_are_two_the_higher_first_and_leave_room_for_the_rest(self, model: topics.Topics) -> None:
        found = model.position("raise taxes to pay for hospitals", "He wants to raise taxes to pay for hospitals.", "")
        assert len(found) == 2
        assert found[0].score >= found[1].score
        assert sum(topic.score for topic in found) <= 1.01

    def test_unknown_words_change_nothing(self, model: topics.Topics) -> None:
        target = "tariffs on imported steel"
        assert model.position(target, target, "") == model.position(f"{target} wexilblorf", target, "")

    def test_of_a_word_do_not_depend_on_case_accents_or_apostrophes(self, model: topics.Topics) -> None:
        written = ["Israel's army", "ISRAEL’S ARMY", "Israël army"]
        assert model.headline(written[0]) == model.headline(written[1]) == model.headline(written[2])

    def test_are_the_same_in_another_process(self, model: topics.Topics) -> None:
        headline = "Senate Votes to Send Troops and Cut Taxes"
        code = f"from services.extraction.topics import Topics; print(Topics().headline({headline!r}))"
        printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert printed.strip() == str(model.headline(headline))


class TestGrams:
    def test_are_words_and_pairs_of_words_that_carry_meaning(self) -> None:
        assert list(topics.grams("The U.N.’s war on drugs")) == [
            *("the", "un", "war", "on", "drugs"),
            *("un war", "war drugs"),
        ]


def test_headlines_may_be_about_what_is_no_policy(model: topics.Topics) -> None:
    assert codes(model.headline("Yankees Win the World Series as Pitcher Throws a Shutout"))[0] == "29"


def test_a_position_carries_its_topics(pipeline: Pipeline) -> None:
    body = "Senator Ruth Adler voted against the immigration bill."
    (position,) = pipeline.read([RawArticle(article_id="a", body=body)])[0].positions
    assert position.topics[0].code == "9"
    assert len(position.topics) == 2
