#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vigil subscribe against a real broker."""
import base64
import json
import signal
import socket
import subprocess

import rig
import tap

JPEG = b"\xff\xd8\xff\xe0 not much of a picture"
BLOB = base64.b64encode(JPEG).decode()


def receive(payloads, *arguments, topic=rig.TOPIC):
    """Publishes to a subscriber that ends by itself. Returns (status, all
    lines, metadata)."""
    with rig.Broker() as broker, rig.subscribe(broker, *arguments) as program:
        for payload in payloads:
            name = topic
            if isinstance(payload, tuple):
                name, payload = payload
            broker.publish(name, payload)
        status = program.wait()
        return status, program.text(), rig.messages(program)


def test_prints_one_line_for_each_message():
    status, _, seen = receive(
        ['{"frame_id":0}', '[{"frame_id":1},""]',
         '{"metadata":{"frame_id":2},"blob":""}'], "--count", "3")
    assert status == 0
    assert [message["frame_id"] for message in seen] == [0, 1, 2], seen


def test_pretty_prints_over_several_lines():
    with rig.Broker() as broker, rig.subscribe(
            broker, "-C", "1", "--pretty") as program:
        broker.publish(rig.TOPIC, '{"frame_id":0}')
        program.wait()
        text = program.text()
    assert text.startswith('{\n  "frame_id": 0\n}'), text


def test_verbose_prints_the_topic_first():
    _, text, _ = receive(['{"a":1}'], "-C", "1", "-v")
    assert text.startswith(rig.TOPIC + ' {"a":1}\n'), text


def test_saves_the_frame_of_each_format():
    frames = rig.folder()
    status, _, seen = receive(
        [json.dumps([{"frame_id": 1}, BLOB]),
         json.dumps({"metadata": {"frame_id": 2}, "blob": BLOB}),
         (rig.TOPIC + "/frame/3", JPEG), '{"frame_id":3}'],
        "-C", "3", "--save-frames", frames)
    assert status == 0 and len(seen) == 3
    names = sorted(path.name for path in frames.iterdir())
    assert names == [f"{rig.TOPIC}-{i}.jpg" for i in (1, 2, 3)], names
    for path in frames.iterdir():
        assert path.read_bytes() == JPEG, path


def test_makes_the_folder_for_frames():
    frames = rig.folder() / "a" / "b"
    receive([json.dumps([{"frame_id": 1}, BLOB])], "-C", "1",
            "--save-frames", frames)
    assert (frames / f"{rig.TOPIC}-1.jpg").exists()


def test_a_topic_cannot_lead_out_of_the_folder():
    frames = rig.folder() / "inner"
    topic = "../../evil"
    receive([(topic, json.dumps([{"frame_id": 1}, BLOB]))], "-C", "1", "-t",
            topic, "--save-frames", frames)
    assert [path.name for path in frames.iterdir()] == ["______evil-1.jpg"]


def test_goes_on_after_a_message_it_does_not_understand():
    status, text, seen = receive(["hello", '{"frame_id":0}'], "-C", "1")
    assert status == 0 and len(seen) == 1
    assert "not understood: line 1" in text and "1 not understood" in text


def test_subscribes_to_every_topic_given():
    with rig.Broker() as broker, rig.subscribe(
            broker, "-t", "a/b", "-t", "c/#", "-C", "2") as program:
        # a/b with its frames, and c/# which has its own already.
        broker.wait_for_subscribers(3)
        broker.publish("a/b", '{"n":1}')
        broker.publish("c/d", '{"n":2}')
        assert program.wait() == 0
        assert [message["n"] for message in rig.messages(program)] == [1, 2]


def test_speaks_every_protocol():
    for version, number in (("mqttv31", "p1"), ("mqttv311", "p2"),
                            ("mqttv5", "p5")):
        with rig.Broker() as broker, rig.subscribe(
                broker, "-V", version, "-i", "me", "-C", "1", "-q", "1"
        ) as program:
            broker.publish(rig.TOPIC, "{}")
            assert program.wait() == 0, program.text()
            broker.wait_for(f" as me ({number},")


def test_ends_on_sigint_and_sigterm():
    for number in (signal.SIGINT, signal.SIGTERM):
        with rig.Broker() as broker, rig.subscribe(broker) as program:
            program.signal(number)
            assert program.wait() == 0
            broker.wait_for("disconnected.")
            assert "0 messages" in program.text()


def test_comes_back_after_a_restart_of_the_broker():
    first = rig.Broker()
    with first, rig.subscribe(first, "-C", "1") as program:
        first.terminate()
        program.wait_for("connection lost")
        with rig.Broker(address=first.address) as second:
            second.wait_for_subscribers(2)
            second.publish(rig.TOPIC, "{}")
            assert program.wait() == 0


def fails(status, words, *arguments):
    result, text = rig.run_vigil("subscribe", *arguments)
    assert result == status and words in text, (result, text)


def test_says_that_nobody_listens():
    fails(75, "127.0.0.1 port 9: connection refused: is a broker listening",
          "-h", "127.0.0.1", "-p", "9")


def test_says_that_a_name_is_unknown():
    fails(75, "broker.invalid port 1883: the name cannot be resolved",
          "-h", "broker.invalid")


def test_says_that_a_password_is_wrong():
    passwords = rig.folder() / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "me", "right"],
                   check=True)
    with rig.Broker(f"password_file {passwords}\n") as broker:
        place = ("-h", broker.address)
        fails(75, "refuses the connection: Connection Refused: not authorised",
              *place, "-u", "me", "-P", "wrong")
        fails(75, "refuses the connection: Not authorized",
              *place, "-u", "me", "-P", "wrong", "-V", "5")
        with rig.subscribe(broker, "-u", "me", "-P", "right"):
            pass


def test_says_that_a_subscription_is_refused():
    # mosquitto's access rules never refuse one, they only keep silent.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with rig.vigil("subscribe", "-h", "127.0.0.1", "-p", port) as program:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"\x20\x02\x00\x00")
                packet = connection.recv(1024)
                assert packet[0] == 0x82, packet
                connection.sendall(b"\x90\x03" + packet[2:4] + b"\x80")
                assert program.wait() == 75
            assert "refuses the subscription" in program.text()


def test_says_that_the_peer_is_no_broker():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with rig.vigil("subscribe", "-h", "127.0.0.1", "-p", port) as program:
            connection, _ = listener.accept()
            connection.close()
            assert program.wait() == 75
            assert "no MQTT connection" in program.text(), program.text()


def test_too_few_messages_in_time_is_an_error():
    with rig.Broker() as broker:
        fails(75, "0 of 2 messages came within 1 s",
              "-h", broker.address, "-C", "2", "-W", "1")


def test_the_end_of_its_time_is_no_error_without_a_count():
    with rig.Broker() as broker:
        fails(0, "0 messages", "-h", broker.address, "-W", "1")


def test_refuses_wrong_options():
    for words, *arguments in (
            ("want a valid topic filter", "-t", "a#b"),
            ("--qos 3: want 0 to 2", "-q", "3"),
            ("--port 0: want 1 to 65535", "-p", "0"),
            ("want mqttv31, mqttv311 or mqttv5", "-V", "4"),
            ("a password needs --username", "-P", "x"),
            ("--cert and --key go together", "--cert", "x"),
            ("one argument too many", "topic")):
        fails(64, words, *arguments)


def test_says_that_a_certificate_cannot_be_read():
    fails(78, "TLS:", "-h", "127.0.0.1", "--cafile", "/nowhere/ca.crt")


def test_says_that_frames_cannot_be_saved():
    fails(78, "/proc/no", "--save-frames", "/proc/no")


def test_ends_when_nobody_reads_its_output():
    with rig.Broker() as broker:
        before = broker.count("Sending SUBACK")
        program = subprocess.Popen(
            [rig.VIGIL, "subscribe", "-h", broker.address],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        broker.wait_for_subscribers(before + 2)
        program.stdout.close()
        broker.publish(rig.TOPIC, "{}")
        assert program.wait(rig.LIMIT_S) != 0


tap.run(globals())
