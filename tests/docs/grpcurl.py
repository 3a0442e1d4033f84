#!/usr/bin/env python3
"""Stands in for grpcurl, which Debian 12 does not have: a call by the stubs of proto/.

usage: grpcurl -plaintext [-unix] [-H 'name: value'] [-d JSON] ADDRESS SERVICE/METHOD

As grpcurl does it prints each answer as JSON, and ends with 64 and the status code if the call
fails. The documents use only what this has; the JSON has grpcurl's names and values, while its
line breaks are those of Python's protobuf.
"""

import argparse
import importlib
import json
import sys

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory

FILES = ("admin", "database", "key_value", "migration")


def method_of(name):
    """The descriptor of SERVICE/METHOD."""
    for file in FILES:
        importlib.import_module(f"penstock.v1.{file}_pb2")
    service, _, method = name.replace("/", ".").rpartition(".")
    return descriptor_pool.Default().FindServiceByName(service).methods_by_name[method]


def requests_of(method, text):
    """The requests that the JSON has, which may be several texts of JSON."""
    request = message_factory.MessageFactory().GetPrototype(method.input_type)
    decoder, position = json.JSONDecoder(), 0
    requests = []
    while text[position:].strip():
        position += len(text[position:]) - len(text[position:].lstrip())
        values, position = decoder.raw_decode(text, position)
        requests.append(json_format.ParseDict(values, request()))
    return requests or [request()]


def call(channel, method, requests, metadata):
    """The answers, as they come; every call is made as a stream, which is the same on the wire."""
    answer = message_factory.MessageFactory().GetPrototype(method.output_type)
    path = f"/{method.containing_service.full_name}/{method.name}"
    stub = channel.stream_stream(
        path,
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=answer.FromString,
    )
    return stub(iter(requests), metadata=metadata, timeout=30)


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-plaintext", action="store_true", required=True)
    parser.add_argument("-unix", action="store_true")
    parser.add_argument("-H", action="append", default=[], dest="headers")
    parser.add_argument("-d", default="", dest="data")
    parser.add_argument("address")
    parser.add_argument("method")
    arguments = parser.parse_args()
    target = ("unix:" if arguments.unix else "") + arguments.address
    metadata = [tuple(part.strip() for part in h.split(":", 1)) for h in arguments.headers]
    method = method_of(arguments.method)
    with grpc.insecure_channel(target) as channel:
        try:
            requests = requests_of(method, arguments.data)
            for answer in call(channel, method, requests, metadata):
                print(json_format.MessageToJson(answer))
        except grpc.RpcError as error:
            code = error.code()
            name = "".join(part.capitalize() for part in code.name.split("_"))
            print(f"ERROR:\n  Code: {name}\n  Message: {error.details()}", file=sys.stderr)
            sys.exit(64 + code.value[0])


if __name__ == "__main__":
    main()
