"""What the golden scripts do not show: see test_output.py for those."""

import ctypes
import json
import mmap
import os
import re
import struct
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest

from proto import required_resources_pb2 as pb
from tests.shim.output_script import Kind, Script, Value

_HERE = Path(__file__).parent
# What upstream (with glibc) prints, in UTC: by format, by seconds since 1970.
_STRFTIME: dict[str, dict[str, str]] = json.loads((_HERE / "output_strftime.json").read_text())


def printed(script: Script) -> str:
    output = script.run()
    assert output.err == ""
    assert output.status == 0
    return output.out


def printed_value(script: Script, value: Value) -> str:
    script.print_value(value)
    return printed(script)


@pytest.mark.parametrize("time_format", _STRFTIME)
def test_strftime(time_format: str) -> None:
    script = Script()
    moments = _STRFTIME[time_format]
    for seconds in moments:
        script.print_value(script.timestamp(time_format, int(seconds) * 10**9 + 500_000_000))
        script.printf("--\n")
    assert printed(script) == "".join(f"{text}\n--\n" for text in moments.values())


def test_strftime_fractions() -> None:
    script = Script()
    assert printed_value(script, script.timestamp("%S.%l %S.%f %S.%k", 1_000_000_012_003_400_056)) == (
        "52.003 52.003400 52.003400056\n"
    )


def test_strftime_before_1970() -> None:
    script = Script()
    assert printed_value(script, script.timestamp("%Y-%m-%d %H:%M:%S.%k", -1)) == "1969-12-31 23:59:59.999999999\n"


def test_strftime_of_the_boot_clock() -> None:
    script = Script()
    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    before = time.time()
    script.print_value(script.timestamp("%s", now, Kind.BOOT))
    assert int(before) - 1 <= int(printed(script)) <= int(before) + 1


def test_strftime_too_long() -> None:
    script = Script()
    assert printed_value(script, script.timestamp("%1023Y", 10**18)) == "2001".rjust(1023, "0") + "\n"
    script.print_value(script.timestamp("%1024Y", 10**18))
    assert printed(script).endswith("(?)\n")


def test_time() -> None:
    script = Script()
    script.time("[%Y %f]\n")
    assert printed(script) == time.strftime("[%Y %%f]\n", time.gmtime())


def test_time_without_text() -> None:
    script = Script()
    script.time("")
    script.time("%64Y")
    script.time("%63Y")
    output = script.run()
    assert output.out == time.strftime("%Y", time.gmtime()).rjust(63, "0")
    assert output.err == "ERROR: time: nothing printed: the text is empty or longer than 63 bytes\n" * 2


def test_join() -> None:
    script = Script()
    script.join(" ", ["ls", "-l", "", "not this"])
    script.join(", ", ["a" * 16, "b"])
    script.join(" ", [""])
    assert printed(script) == f"ls -l\n{'a' * 16}, b\n\n"


def test_cut_string() -> None:
    script = Script()
    script.printf("%s|%12s|%-12s|\n", *[script.string("abcdefgh", 8)] * 3)
    script.print_value(script.string("abcdefg", 8))
    assert printed(script) == "abcdefgh..|  abcdefgh..|abcdefgh..  |\nabcdefg\n"


def test_buffer_length_is_bounded() -> None:
    script = Script()
    value = script.buffer(b"abcd")
    assert printed_value(script, Value(value.type, struct.pack("<I", 1000) + b"abcd")) == "abcd\n"


def test_event_shorter_than_its_arguments() -> None:
    script = Script()
    long = script.string("ab", 64)
    script.print_value(Value(long.type, b"ab"))
    assert printed(script) == "ab\n"


def test_anonymous_members() -> None:
    script = Script()
    inner = script.structure(("b", script.integer(2, 4)), ("c", script.integer(3, 4)))
    nothing = script.structure()
    value = script.structure(
        ("", nothing), ("", inner), ("d", script.integer(4)), ("", inner), ("e", inner), ("f", nothing)
    )
    assert (
        printed_value(script, value) == "{ .b = 2, .c = 3, .d = 4, .b = 2, .c = 3, .e = { .b = 2, .c = 3 }, .f = {} }\n"
    )


def test_empty_groups() -> None:
    script = Script()
    nothing = script.structure()
    script.printf("%s|%5s|", script.structure(("", nothing)), nothing)
    script.printf("%s", script.array())
    assert printed(script) == "{}|   {}|[]"


def test_arrays() -> None:
    script = Script()
    row = script.array(script.integer(1, 2), script.integer(-2, 2))
    assert printed_value(script, script.array(row, row)) == "[[1,-2],[1,-2]]\n"


def test_bitfields() -> None:
    script = Script()
    value = script.bitfields(0b1101_0110_101, 4, a=(0, 3), b=(3, 4), c=(7, 25))
    assert printed_value(script, value) == "{ .a = 5, .b = 6, .c = 13 }\n"
    wide = Script()
    assert printed_value(wide, wide.bitfields((1 << 64) - 1, 8, all=(0, 64))) == "{ .all = 18446744073709551615 }\n"


def test_enumerators() -> None:
    script = Script()
    names = {"NEGATIVE": -1, "ZERO": 0, "ONE": 1}
    for number in (0, 1, 0xFFFFFFFF, 7):
        script.print_value(script.enumerator(number, names))
    assert printed(script) == "ZERO\nONE\nNEGATIVE\n7\n"


def test_integers_of_all_sizes() -> None:
    script = Script()
    for size in (1, 2, 4, 8):
        bits = 8 * size
        script.print_value(script.integer(-(1 << bits - 1), size))
        script.print_value(script.integer((1 << bits - 1) - 1, size))
        script.print_value(script.integer((1 << bits) - 1, size, signed=False))
    expected = [
        number for bits in (8, 16, 32, 64) for number in (-(1 << bits - 1), (1 << bits - 1) - 1, (1 << bits) - 1)
    ]
    assert printed(script).split() == [str(number) for number in expected]


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("::1", "0 0 0 0 0 0 0 1"),
        ("::ffff:1.2.3.4", "0 0 0 0 0 ffff 102 304"),
        ("::1.2.3.4", "0 0 0 0 0 0 102 304"),
        ("::fffe:102:304", "0 0 0 0 0 fffe 102 304"),
        ("2001:db8::1:0:0:1", "2001 db8 0 0 1 0 0 1"),
        ("fe80::1", "fe80 0 0 0 0 0 0 1"),
        ("::", "0 0 0 0 0 0 0 0"),
        ("1::", "1 0 0 0 0 0 0 0"),
        ("1:0:2:0:3:0:4:0", "1 0 2 0 3 0 4 0"),
        ("1:2:3:4:5:6:7:8", "1 2 3 4 5 6 7 8"),
        ("0:2:3:4:5:6:7:8", "0 2 3 4 5 6 7 8"),
    ],
)
def test_ipv6_address(text: str, groups: str) -> None:
    """As upstream prints them (it uses glibc's inet_ntop)."""
    script = Script()
    address = b"".join(int(group, 16).to_bytes(2, "big") for group in groups.split())
    assert printed_value(script, script.inet6(address)) == f"{text}\n"


def test_unknown_address_family() -> None:
    script = Script()
    value = script.inet4(bytes(4))
    assert printed_value(script, Value(value.type, struct.pack("<Q", 99) + bytes(16))) == "\n"


def test_mac_address() -> None:
    script = Script()
    assert printed_value(script, script.mac_address(bytes([0, 0xAB, 0xFF, 0x10, 0x7F, 0x80]))) == "00:AB:FF:10:7F:80\n"


def test_username() -> None:
    script = Script()
    script.printf("%s|%s|", script.username(0), script.username(4123456789))
    assert printed(script) == "root||"


def test_kernel_symbols() -> None:
    """Against a reader of kallsyms that is as simple as can be."""
    symbols: dict[int, str] = {}
    for line in Path("/proc/kallsyms").read_text().splitlines():
        address_text, kind, name = line.split()[:3]
        if int(address_text, 16) and kind not in "bBdDrR":
            symbols[int(address_text, 16)] = name
    script = Script()
    places = sorted(symbols)
    sample = places[:: max(1, len(places) // 200)]
    for address in sample:
        script.print_value(script.ksym(address))
    for here, following in pairwise(places):
        if following - here > 8:
            script.print_value(script.ksym(here + 5))
            sample.append(here)
            break
    script.print_value(script.ksym(5))
    script.print_value(script.ksym(0))
    expected = [symbols[address] for address in sample] + ["0x5", "0"]
    assert printed(script).splitlines() == expected


def test_map_key_larger_than_the_buffer() -> None:
    script = Script()
    short = script.string("(" + "a" * 1500 + ")", 2000)
    long = script.string("(" + "a" * 5000 + ")", 6000)
    rows = [
        script.values("@short", [(short, script.integer(1)), (script.string("(b)", 2000), script.integer(2))]),
        script.values("@long", [(long, script.integer(1))]),
    ]
    script.print_at_exit(*rows)
    assert printed(script) == f"@short[{'a' * 1500}]: 1\n@short[b]: 2\n@long[({'a' * 5000})]: 1\n"


def test_map_order_is_stable() -> None:
    """Entries with the same value stay in the kernel's order."""
    script = Script()
    keys = [number * 7919 % 5003 for number in range(5003)]
    index = script.values("@", [(script.integer(key), script.integer(key % 10, signed=False)) for key in keys])
    script.print_at_exit(index)
    expected = sorted(keys, key=lambda key: key % 10)
    assert printed(script) == "".join(f"@[{key}]: {key % 10}\n" for key in expected)


def test_map_order_of_key_types() -> None:
    script = Script()
    zero = script.string("0", 4)

    def keys(*values: Value) -> str:
        case = Script()
        case.resources.CopyFrom(script.resources)
        case.print_at_exit(case.values("@", [(value, zero) for value in values]))
        return ",".join(line.removeprefix("@[").removesuffix("]: 0") for line in printed(case).splitlines())

    assert keys(*(script.integer(number, 4, signed=False) for number in (1, 0xFFFFFFFF, 0))) == "4294967295,0,1"
    assert keys(*(script.probe(name) for name in ("kprobe:b", "kprobe:a"))) == "kprobe:a,kprobe:b"
    # Nothing but integers and strings has an order.
    assert (
        keys(*(script.tuple_of(script.boolean(value), script.integer(1)) for value in (True, False)))
        == "true, 1,false, 1"
    )
    assert keys(script.pointer(2), script.pointer(1)) == "0x2,0x1"
    pairs = [(2, 1), (1, 2), (1, 1)]
    assert keys(*(script.tuple_of(script.integer(a), script.integer(b, 4)) for a, b in pairs)) == "1, 1,1, 2,2, 1"


def test_integers_per_cpu_are_summed() -> None:
    script = Script()
    value = script.integer(0, 4)
    rows = [(bytes(8), [struct.pack("<i", number) for number in (5, -7, 1)])]
    script.print_at_exit(script.add_map("@", value.type, 0, 8, rows))
    assert printed(script) == "@: -1\n"


def test_histograms_with_equal_totals_are_ordered_by_key() -> None:
    script = Script()
    rows: list[tuple[Value | None, dict[int, list[int]]]] = [
        (script.integer(key), {1: [total]}) for key, total in [(300, 2), (2, 2), (1, 2), (5, 1)]
    ]
    script.print_at_exit(script.histogram("@", Kind.HIST, rows))
    # As bytes: 300 is 2c 01.
    assert [line for line in printed(script).splitlines() if line.startswith("@")] == [
        "@[5]:",
        "@[1]:",
        "@[2]:",
        "@[300]:",
    ]


def test_histogram_divided_to_nothing() -> None:
    script = Script()
    index = script.histogram("@", Kind.HIST, [(None, {1: [1], 2: [1]})])
    script.print_map(index, 0, 5)
    empty = " " * 52
    assert printed(script) == f"@:\n[0]                    0 |{empty}|\n[1]                    0 |{empty}|\n\n"


def test_histogram_bucket_out_of_range_is_left_out() -> None:
    script = Script()
    index = script.histogram("@", Kind.LHIST, [(None, {1: [1], 1 << 40: [9]})], lhist_max=10, lhist_step=5)
    script.print_map(index)
    assert printed(script) == f"@:\n[0, 5)                 1 |{'@' * 52}|\n\n"


def test_no_warnings() -> None:
    script = Script()
    script.no_warnings()
    span = script.span(1, 1, 2, "x")
    script.printf("a", severity=pb.Printf.WARNING, span=span)
    script.printf("b", severity=pb.Printf.ERROR, span=span)
    script.runtime_error(pb.RuntimeError.DIVIDE_BY_ZERO, span)
    assert script.run().err == "a.bt:1:1-2: ERROR: b\n"


@pytest.mark.parametrize(
    ("helper", "result", "message"),
    [
        ("map_lookup_elem", 0, "Can't lookup map element because it does not exist."),
        ("map_delete_elem", -2, "Can't delete map element because it does not exist."),
        ("map_delete_elem", -12, "Cannot allocate memory"),
        ("map_update_elem", -2, "No such file or directory"),
        ("probe_read_user", -14, "Bad address"),
        ("map_update_elem", -16, "Device or resource busy"),
    ],
)
def test_helper_errors(helper: str, result: int, message: str) -> None:
    script = Script()
    script.runtime_error(pb.RuntimeError.HELPER, script.span(3, 2, 5, "abcdef"), helper, result)
    assert script.run().err == (
        f"a.bt:3:2-5: WARNING: {message}\nAdditional Info - helper: {helper}, retcode: {result}\nabcdef\n ~~~\n"
    )


def test_colors() -> None:
    script = Script()
    inner = script.span(1, 1, 2, "x", parent=script.span(2, 1, 3, "yz"))
    script.runtime_error(pb.RuntimeError.KSTACK, inner)
    script.printf("text\n", severity=pb.Printf.ERROR)
    assert script.run({"BPFTRACE_COLOR": "always"}).err == (
        "\033[33ma.bt:1:1-2: WARNING: Error reading kstack.\033[0m\nx\n~\n"
        "\033[33ma.bt:2:1-3: WARNING: expanded from\033[0m\nyz\n~~\n"
        "\033[31mERROR: text\033[0m\n"
    )
    assert "\033" not in script.run({"BPFTRACE_COLOR": "auto"}).err


def test_message_larger_than_a_buffer() -> None:
    script = Script()
    text = script.string("x" * 9000, 9001)
    script.printf("%s\n", text)
    script.printf("%s", text, severity=pb.Printf.ERROR)
    output = script.run()
    assert output.out == "x" * 9000 + "\n"
    assert output.err == "ERROR: " + "x" * 9000 + "\n"


def test_full_disk_ends_the_tracer() -> None:
    script = Script()
    script.printf("lost\n")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [os.environ["OUTPUT_HARNESS"]],
            input=script.script(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.stderr == b"output_harness: No space left on device\n"
    assert done.returncode == 1


def test_cat(tmp_path: Path) -> None:
    (tmp_path / "7").write_bytes(b"0123456789" * 1000)
    script = Script()
    script.cat(f"{tmp_path}/%d", script.integer(7), limit=5005)
    assert printed(script) == "0123456789" * 500 + "01234"


def test_cat_of_no_file() -> None:
    script = Script()
    script.cat("/nonexistent/%s", script.string("x"))
    script.printf("on\n")
    output = script.run()
    assert output.out == "on\n"
    assert output.err == "ERROR: failed to open file '/nonexistent/x' (No such file or directory)\n"


def test_system() -> None:
    script = Script()
    script.system("echo %s; echo error >&2", script.string("x" * 5000, 5001))
    script.system("printf %d", script.integer(5))
    assert printed(script) == "x" * 5000 + "\nerror\n\n5\n"


def test_system_that_fails() -> None:
    script = Script()
    script.system("echo lost; exit 3")
    script.system("kill -9 $$")
    output = script.run()
    assert (output.out, output.status) == ("", 0)
    assert output.err == "ERROR: command exited with code 3\nERROR: child process did not exit normally\n"


def test_cgroup_path_of_the_root() -> None:
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    unified = [mount for _, mount, kind, *_ in mounts if kind == "cgroup2"]
    if not unified:
        pytest.skip("cgroup2 is not mounted")
    script = Script()
    for cgroup_filter in ("unif*", "no*ne"):
        script.print_value(script.cgroup_path(os.stat(unified[0]).st_ino, cgroup_filter))
    output = script.run()
    if "Operation not permitted" in output.err:
        pytest.skip("this process may not open file handles")
    assert re.fullmatch(r"unified:/\S*\n\n", output.out)


def stack(
    script: Script, kind: pb.Type.Kind, mode: pb.Type.StackMode, frames: list[int | bytes], limit: int = 4
) -> Value:
    """A stack of this process; a frame is an address, or a struct bpf_stack_build_id."""
    parts = [frame if isinstance(frame, bytes) else struct.pack("<Q", frame) for frame in frames]
    entry_size = 32 if mode == pb.Type.BUILD_ID else 8
    data = struct.pack("<Q", len(frames)) + b"".join(parts).ljust(limit * entry_size, b"\0")
    if kind == Kind.USTACK:
        data = struct.pack("<II", os.getpid(), 0) + data
    return Value(script.type_index(kind, len(data), count=limit, stack_mode=mode), data)


@pytest.mark.parametrize("kind", [Kind.KSTACK, Kind.USTACK])
def test_stack_of_no_frames(kind: pb.Type.Kind) -> None:
    script = Script()
    script.print_value(stack(script, kind, pb.Type.BPFTRACE, []))
    assert printed(script) == "\n\n"


def test_stacks_of_addresses() -> None:
    script = Script()
    build_id = struct.pack("<i20sQ", 1, bytes(range(20)), 5)
    fallback = struct.pack("<i20sQ", 2, b"", 0xABC)
    script.print_value(stack(script, Kind.USTACK, pb.Type.RAW, [0xFFF0, 0]))
    script.print_value(stack(script, Kind.USTACK, pb.Type.BPFTRACE, [0x10, 0]))
    script.print_value(stack(script, Kind.USTACK, pb.Type.PERF, [0x10]))
    script.print_value(stack(script, Kind.USTACK, pb.Type.BUILD_ID, [build_id, fallback]))
    script.print_value(stack(script, Kind.KSTACK, pb.Type.RAW, [0xFFFFFFFF81000000]))
    script.print_value(stack(script, Kind.KSTACK, pb.Type.PERF, [0x10]))
    assert printed(script) == (
        "\nfff0\n0\n\n"
        "\n        0x10\n        0\n\n"
        "\n\t10 0x10 ([unknown])\n\n"
        "\n000102030405060708090a0b0c0d0e0f10111213 0x05\nabc\n\n"
        "\nffffffff81000000\n\n"
        "\n\t10 0x10\n\n"
    )


def function_address(name: str) -> int:
    """Of the C library of this process."""
    address = ctypes.cast(getattr(ctypes.CDLL(None), name), ctypes.c_void_p).value
    assert address
    return address


def test_user_symbols_of_a_library() -> None:
    script = Script()
    address = function_address("strtoul")
    for mode in (pb.Type.BPFTRACE, pb.Type.PERF):
        script.print_value(stack(script, Kind.USTACK, mode, [address + 3]))
    script.print_value(script.user_symbol(address + 3, os.getpid()))
    lines = printed(script).splitlines()
    assert re.fullmatch(r" {8}strtou?ll?\+3", lines[1])
    assert re.fullmatch(rf"\t{address + 3:x} strtou?ll?\+3 \(/\S*libc\S*\)", lines[4])
    assert re.fullmatch(r"strtou?ll?", lines[6])


def test_addresses_of_a_file_without_a_name_for_them() -> None:
    """The code of a library ends with what fills its last page."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    words = next(line.split() for line in lines if re.search(r" r-xp \S+ \S+ \d+ +/\S*/libc[.-]", line))
    end = int(words[0].partition("-")[2], 16)
    script = Script()
    script.print_value(stack(script, Kind.USTACK, pb.Type.PERF, [end - 1]))
    assert printed(script) == f"\n\t{end - 1:x} 0x{end - 1:x} ({words[5]})\n\n"


def test_user_symbols_of_a_process_that_has_ended() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    script = Script()
    script.print_value(script.user_symbol(0x7F0000001000, child.pid))
    assert printed(script) == "0x7f0000001000\n"


def test_user_symbols_of_a_jit_compiler() -> None:
    protection = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    code = mmap.mmap(-1, 4096, prot=protection)
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    map_file = Path(f"/tmp/perf-{os.getpid()}.map")
    map_file.write_text(f"{address + 64:x} 20 py::second:a.py\n{address:x} 40 py::first:a b.py\n")
    try:
        script = Script()
        script.print_value(stack(script, Kind.USTACK, pb.Type.PERF, [address + 5, address + 64, address + 0x60]))
        assert printed(script) == (
            f"\n\t{address + 5:x} py::first:a b.py+5 ({map_file})\n"
            f"\t{address + 64:x} py::second:a.py+0 ({map_file})\n"
            f"\t{address + 0x60:x} 0x{address + 0x60:x} ([unknown])\n\n"
        )
    finally:
        map_file.unlink()
