# SPDX-License-Identifier: Apache-2.0
"""Closed-loop load over keep-alive connections: each has one request under way, and each answer is checked.

One thread and plain sockets. How much of its core it needs is part of the result: near 1 it measures itself."""
import dataclasses
import select
import socket
import statistics
import sys
import time


@dataclasses.dataclass
class Outcome:
    seconds: float
    latencies: list
    busy: float

    def per_second(self):
        return len(self.latencies) / self.seconds

    def milliseconds(self, percentile):
        return statistics.quantiles(self.latencies, n=100)[percentile - 1] * 1e3


def request(path, body):
    return (f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def send(self, message):
        self.received = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(message)

    def answer(self):
        """The body once it is here as a whole, else None; one read."""
        part = self.socket.recv(65536)
        if not part:
            sys.exit("wrong: the server closed a connection")
        self.received += part
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return None
        length = head.lower().partition(b"content-length:")[2]
        if len(body) < int(length.split(b"\r\n", 1)[0]):
            return None
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"wrong: {self.received.decode()}")
        return body


def ask(port, message):
    connection = Connection(port)
    connection.send(message)
    while (body := connection.answer()) is None:
        pass
    connection.socket.close()
    return body


def load(port, connections, exchanges, seconds):
    """Exchanges are pairs of a request and of bytes that its answer holds."""
    poll, by_descriptor, latencies, next_exchange = select.epoll(), {}, [], 0
    cpu, begin = time.process_time(), time.perf_counter()
    for _ in range(connections):
        connection = Connection(port)
        by_descriptor[connection.socket.fileno()] = connection
        poll.register(connection.socket, select.EPOLLIN)
    end, free, under_way = begin + seconds, list(by_descriptor.values()), 0
    while free or under_way:
        for connection in free:
            connection.wanted = exchanges[next_exchange % len(exchanges)][1]
            connection.send(exchanges[next_exchange % len(exchanges)][0])
            next_exchange, under_way = next_exchange + 1, under_way + 1
        free = []
        for descriptor, _ in poll.poll():
            connection = by_descriptor[descriptor]
            body = connection.answer()
            if body is None:
                continue
            now = time.perf_counter()
            latencies.append(now - connection.sent_at)
            under_way -= 1
            if connection.wanted not in body:
                sys.exit(f"wrong: an answer under load: {body.decode()} lacks {connection.wanted.decode()}")
            if now < end:
                free.append(connection)
    took = time.perf_counter() - begin
    busy = (time.process_time() - cpu) / took
    for connection in by_descriptor.values():
        connection.socket.close()
    return Outcome(took, latencies, busy)
