"""`onrecord extract`, with the real reading."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas import EnrichedArticle
from services.cli.demo import SAMPLES

ONRECORD = [sys.executable, "-m", "services.cli.main", "extract"]
RAW = [
    json.dumps({"article_id": f"a-{number}", "body": f'"We will pay {number}," Ann Lee said.'}) for number in range(40)
]


def extract(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ONRECORD, *arguments], input=stdin, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_a_text_on_stdin_is_read() -> None:
    done = extract("-", stdin='"We will pay," Ann Lee said. She rejected the new tax.')
    assert done.returncode == 0
    assert done.stderr == ""
    assert "PERSON      Ann Lee" in done.stdout
    assert "Ann Lee said: “We will pay,” (direct)" in done.stdout
    assert "\x1b" not in done.stdout


def test_json_is_one_enriched_article() -> None:
    done = extract("--json", str(SAMPLES / "01-wire-fuel-duty.json"))
    article = EnrichedArticle.model_validate_json(done.stdout)
    assert article.article_id == "demo-wire-fuel-duty"
    assert article.text is not None
    for quote in article.quotes:
        assert article.text[quote.start : quote.end] == quote.text


def test_html_is_written_to_a_file_and_the_settings_apply(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    sample = str(SAMPLES / "06-council-footbridge.txt")
    done = extract("--html", str(out), sample, ONRECORD_EXTRACTORS="entities", ONRECORD_PUBLISH_TEXT="false")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    page = out.read_text(encoding="utf-8")
    assert "Cooper&#x27;s Lock" in page
    assert '<span class="entity"' in page
    assert '<span class="quote' not in page.partition("<article>")[2]


def test_json_lines_come_out_in_order_and_broken_ones_are_reported(tmp_path: Path) -> None:
    lines = [*RAW[:20], '{"article_id": "x"}', "", *RAW[20:], "not JSON"]
    (tmp_path / "raw.jsonl").write_text("\n".join(lines), encoding="utf-8")
    done = extract("--jsonl", str(tmp_path / "raw.jsonl"))
    assert done.returncode == 1
    read = [EnrichedArticle.model_validate_json(line) for line in done.stdout.splitlines()]
    assert [article.article_id for article in read] == [f"a-{number}" for number in range(40)]
    reports = done.stderr.splitlines()
    assert reports[0] == f"onrecord: {tmp_path}/raw.jsonl:21: body: Field required"
    assert reports[1].startswith(f"onrecord: {tmp_path}/raw.jsonl:43: Invalid JSON")
    assert len(reports) == 2


@pytest.mark.parametrize("arguments", [["-"], ["--jsonl", "-"]])
def test_a_model_that_is_not_there_is_named_in_one_line(arguments: list[str]) -> None:
    done = extract(*arguments, stdin=RAW[0], ONRECORD_MODEL="no_such_model")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("onrecord: model 'no_such_model'")
    assert len(done.stderr.splitlines()) == 1


def test_the_output_starts_before_the_input_ends() -> None:
    command = [*ONRECORD, "--jsonl", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        # As many as all readers together are given at once, and more.
        process.stdin.write("\n".join(RAW * (1 + (os.cpu_count() or 1))) + "\n")
        process.stdin.flush()
        first = process.stdout.readline()
        assert EnrichedArticle.model_validate_json(first).article_id == "a-0"
        process.kill()
