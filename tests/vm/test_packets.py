"""skboutput(): packets in pcap files."""

import re
import signal
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.vm.machine import Machine
from tests.vm.tracing import output_lines, start, stopped, trace

_FILE_HEADER = struct.Struct("<IHHIIII")
_PACKET_HEADER = struct.Struct("<IIII")
_TCP, _SYN, _ACK = 6, 0x02, 0x10


@dataclass(frozen=True, slots=True)
class Packet:
    seconds: int
    microseconds: int
    length: int
    data: bytes


def _packets(data: bytes) -> Iterator[Packet]:
    assert _FILE_HEADER.unpack_from(data) == (0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    at = _FILE_HEADER.size
    while at < len(data):
        seconds, microseconds, captured, length = _PACKET_HEADER.unpack_from(data, at)
        at += _PACKET_HEADER.size
        assert at + captured <= len(data)
        yield Packet(seconds, microseconds, length, data[at : at + captured])
        at += captured


def _connections(packets: list[Packet]) -> Iterator[str]:
    """The ends of the connections that are opened, as the workload prints them."""
    for packet in packets:
        data = packet.data
        if data[0] >> 4 == 4:
            family, size, addresses, protocol = socket.AF_INET, 4 * (data[0] & 15), data[12:20], data[9]
        else:
            family, size, addresses, protocol = socket.AF_INET6, 40, data[8:40], data[6]
        if protocol == _TCP and data[size + 13] & (_SYN | _ACK) == _SYN:
            half = len(addresses) // 2
            source, target = (socket.inet_ntop(family, part) for part in (addresses[:half], addresses[half:]))
            source_port, target_port = struct.unpack_from(">HH", data, size)
            yield f"{source} {source_port} {target} {target_port}"


def _total_length(packet: Packet) -> int:
    """As its IP header has it."""
    first, second = struct.unpack_from(">HH", packet.data, 2)
    return int(first if packet.data[0] >> 4 == 4 else second + 40)


def test_packets_of_connections(machine: Machine) -> None:
    traced = trace(machine, ["/bin/packets"], ["/bin/connect"])
    packets = list(_packets(machine.read("/tmp/loopback.pcap")))
    assert list(_connections(packets)) == traced.workload.stdout.splitlines()
    assert [len(packet.data) for packet in packets] == [packet.length for packet in packets]
    assert [packet.length for packet in packets] == [_total_length(packet) for packet in packets]
    assert all(packet.microseconds < 1_000_000 for packet in packets)
    assert all(abs(packet.seconds - time.time()) < 24 * 3600 for packet in packets)
    count = len(packets)
    assert sorted(traced.lines) == [f"@beyond[-14]: {count}", f"@written[0]: {count}"]


def test_packets_without_room_are_counted(machine: Machine) -> None:
    tracer = start(machine, "/bin/packet_loss", environment={"BPFTRACE_PERF_RB_PAGES": "1"})
    with stopped(tracer):
        machine.run("/bin/connect")
    machine.run("/bin/connect")
    tracer.signal(signal.SIGINT)
    completed = tracer.wait()
    assert completed.code == 0, completed
    counts = dict(re.findall(r"@\[(-?\d+)\]: (\d+)", "\n".join(output_lines(completed.stdout))))
    assert set(counts) == {"0", "-28"}
    reports = re.findall(r"Lost (\d+) events", completed.stdout + completed.stderr)
    assert sum(map(int, reports)) == int(counts["-28"])
    assert len(list(_packets(machine.read("/tmp/many.pcap")))) == int(counts["0"])
