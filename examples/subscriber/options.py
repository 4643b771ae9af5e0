# SPDX-License-Identifier: Apache-2.0
"""The options that both example subscribers have."""
import argparse


def parse(description):
    """Returns the options, and the keyword arguments for paho's helpers."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--host", default="127.0.0.1", help="the broker")
    parser.add_argument("--port", type=int, help="default 1883, 8883 with TLS")
    parser.add_argument("--topic", default="dlstreamer_pipeline_results")
    parser.add_argument("--cafile", help="certificate of the CA: use TLS")
    parser.add_argument("--cert", help="our certificate, when one is wanted")
    parser.add_argument("--key", help="and its key")
    parser.add_argument("--folder", default=".", help="where frames go")
    options = parser.parse_args()

    connection = {
        "hostname": options.host,
        "port": options.port or (8883 if options.cafile else 1883),
    }
    if options.cafile:
        connection["tls"] = {
            "ca_certs": options.cafile,
            "certfile": options.cert,
            "keyfile": options.key,
        }
    # TOPIC/# is the topic itself too, and the frames of "binary" below it.
    return options, f"{options.topic}/#", connection
