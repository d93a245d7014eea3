"""The settings that the nodes get."""

from pathlib import Path

import pytest

from services.broker.config import ClusterConfig, Ports, read_properties, write_properties

DATA = Path("/somewhere/data")


def test_one_node_keeps_one_copy_and_listens_on_the_loopback_interface_alone() -> None:
    config = ClusterConfig([Ports(9000, {"PLAINTEXT": 9092})])
    settings = config.properties(1, DATA)
    assert config.bootstrap() == "127.0.0.1:9092"
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9000"
    assert settings["offsets.topic.replication.factor"] == "1"
    assert settings["transaction.state.log.min.isr"] == "1"
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["log.dirs"] == str(DATA)


def test_three_nodes_vote_together_and_keep_three_copies_of_which_two_are_in_sync() -> None:
    config = ClusterConfig([Ports(9000 + number, {"PLAINTEXT": 9092 + number}) for number in range(3)])
    settings = [config.properties(number, DATA) for number in (1, 2, 3)]
    assert config.bootstrap() == "127.0.0.1:9092,127.0.0.1:9093,127.0.0.1:9094"
    assert [own["node.id"] for own in settings] == ["1", "2", "3"]
    assert [own["advertised.listeners"][-4:] for own in settings] == ["9092", "9093", "9094"]
    (voters,) = {own["controller.quorum.voters"] for own in settings}
    assert voters == "1@127.0.0.1:9000,2@127.0.0.1:9001,3@127.0.0.1:9002"
    for topic in ("offsets.topic", "transaction.state.log", "default"):
        assert settings[0][f"{topic}.replication.factor"] == "3"
    assert settings[0]["min.insync.replicas"] == settings[0]["transaction.state.log.min.isr"] == "2"


def test_further_listeners_have_their_protocol_and_further_settings_win() -> None:
    protocols = {"PLAINTEXT": "PLAINTEXT", "SECURE": "SASL_SSL"}
    config = ClusterConfig(
        [Ports(9000, {"PLAINTEXT": 9092, "SECURE": 9093})], protocols, extra={"message.max.bytes": "1000"}
    )
    settings = config.properties(1, DATA)
    assert config.bootstrap("SECURE") == "127.0.0.1:9093"
    assert settings["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9092,SECURE://127.0.0.1:9093"
    assert "SECURE:SASL_SSL" in settings["listener.security.protocol.map"].split(",")
    assert settings["message.max.bytes"] == "1000"


def test_properties_are_read_back_as_written(tmp_path: Path) -> None:
    properties = {"path": r"C:\kafka\new", "jaas": 'login required user="a=b" ;', "empty": ""}
    write_properties(tmp_path / "some.properties", properties)
    assert read_properties(tmp_path / "some.properties") == properties


def test_a_line_break_cannot_smuggle_in_a_setting(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="message"):
        write_properties(tmp_path / "some.properties", {"message.max.bytes": "1\nlisteners=PLAINTEXT://0.0.0.0:1"})
