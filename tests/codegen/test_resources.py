"""What code generation leaves in the message besides instructions."""

import struct

import pytest

from compiler import back, pipeline
from compiler.arch import X86_64
from compiler.backend import Backend, BackendError, BackendResult
from compiler.object.features import features
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import SourceFile
from proto import required_resources_pb2 as pb
from tests.codegen.compile import compile_text, kernel


def resources(text: str, **options: object) -> pb.RequiredResources:
    return compile_text(text, **options).resources  # type: ignore[arg-type]


def by_name(message: pb.RequiredResources) -> dict[str, pb.Map]:
    return {entry.name: entry for entry in message.maps}


@pytest.mark.parametrize(
    ("statement", "key_size", "value_size", "kind"),
    [
        ("@x = nsecs", 8, 8, "INTEGER"),
        ('@x["a"] = 1', 2, 1, "INTEGER"),
        ("@x[1, comm] = count()", 17, 8, "COUNT"),
        ("@x[pid] = avg(nsecs)", 4, 16, "AVG"),
        ("@x = min(nsecs)", 8, 16, "MIN"),
        ("@x = stats(nsecs)", 8, 16, "STATS"),
        ("@x = hist(nsecs)", 8, 8, "HIST"),
        ("@x[pid] = lhist(nsecs, 0, 10, 1)", 12, 8, "LHIST"),
        ("@x = (1, comm)", 8, 17, "TUPLE"),
    ],
)
def test_map_layouts(statement: str, key_size: int, value_size: int, kind: str) -> None:
    message = resources(f"BEGIN {{ {statement}; }}")
    entry = by_name(message)["@x"]
    assert (entry.key_size, entry.value_size) == (key_size, value_size)
    type_ = message.types[entry.value_type]
    assert (pb.Type.Kind.Name(type_.kind), type_.size) == (kind, value_size)


def test_script_maps_come_first_by_name() -> None:
    message = resources("BEGIN { @b = 1; @a = 1; @c = 1; }")
    assert [entry.name for entry in message.maps][:3] == ["@a", "@b", "@c"]


def test_ring_buffer_grows_with_events_and_obeys_the_config() -> None:
    small = by_name(resources('BEGIN { printf("x"); }'))["ringbuf"]
    assert small.max_entries == 64 * 1024
    large = by_name(resources('kprobe:vfs_read { printf("%s%s", str(arg0), str(arg1)); }'))["ringbuf"]
    assert large.max_entries == 512 * 1024
    chosen = by_name(resources("config = { perf_rb_pages = 2 } BEGIN { exit(); }"))["ringbuf"]
    assert chosen.max_entries == 2 * 4096


def test_core_instructions_hold_the_local_value() -> None:
    message = resources("BEGIN { @ = curtask.real_parent.tgid; @s = sizeof(struct list_head); }")
    program = message.programs[0]
    found = set()
    for relocation in program.relocations:
        constant = message.constants[relocation.constant]
        if constant.HasField("core"):
            (low,) = struct.unpack_from("<I", program.instructions, relocation.instruction * 8 + 4)
            assert low == constant.core.local_value
            found.add((constant.core.description, constant.core.kind, constant.core.local_value > 0))
    assert found == {
        ("struct task_struct.real_parent", pb.CoreRelocation.FIELD_BYTE_OFFSET, True),
        ("struct task_struct.tgid", pb.CoreRelocation.FIELD_BYTE_OFFSET, True),
        ("struct task_struct.tgid", pb.CoreRelocation.FIELD_BYTE_SIZE, True),
        ("struct list_head", pb.CoreRelocation.TYPE_SIZE, True),
    }


def test_every_function_has_information() -> None:
    program = resources("BEGIN { @ = pid; }").programs[0]
    assert program.functions[0].instruction == 0
    assert len(program.functions) > 1
    assert len({info.btf_type for info in program.functions}) == len(program.functions)


def test_helper_errors_are_a_choice() -> None:
    text = "BEGIN { @ = curtask.tgid; }"
    counts = [len(resources(text, helper_errors=level).actions) for level in (0, 1, 2)]
    # None; the map update; the map update and the read.
    assert counts == [0, 1, 2]


def test_string_parameter_lies_in_read_only_data() -> None:
    message = resources('BEGIN { printf("%s", str($1)); }')
    parameter = message.parameters[0]
    data = message.maps[parameter.map]
    assert (data.role, data.frozen, data.flags) == (pb.Map.GLOBAL_DATA, True, 1 << 7)
    assert parameter.offset + parameter.size <= data.value_size


def test_same_text_same_message() -> None:
    text = 'BEGIN { @["a", comm] = hist(nsecs); printf("%s", comm); }'
    first, second = (resources(text).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second


def test_arm64_reads_its_own_registers() -> None:
    text = "kprobe:vfs_read { @ = arg2; }"
    x86, arm = (compile_text(text, arch=arch) for arch in ("x86_64", "arm64"))
    assert "+ 96)" in x86.assembly  # dx
    assert "+ 16)" in arm.assembly  # x2
    assert arm.resources.arch == pb.ARM64


def test_many_variables_do_not_overflow_the_stack() -> None:
    count = range(40)
    text = "".join(f"$s{i} = comm; $n{i} = nsecs + {i}; " for i in count)
    text += "".join(f"@s[{i}] = $s{i}; @n[{i}] = $n{i}; " for i in count)
    message = resources(f"BEGIN {{ {text} }}")
    assert by_name(message)["scratch0"].value_size > 0


def test_many_temporaries_in_a_statement_do_not_overflow_the_stack() -> None:
    reads = ", ".join(f"@m[comm, {i}]" for i in range(60))
    message = resources(f'BEGIN {{ @m[comm, 1] = 1; printf("{"%d" * 60}", {reads}); }}')
    assert by_name(message)["scratch0"].value_size > 0


def test_a_stack_that_does_not_suffice_is_the_script_s_fault() -> None:
    class Overflowing(Backend):
        def compile_ir(self, ir: str, **_: object) -> BackendResult:  # noqa: ARG002
            raise BackendError("error: in function begin_0 i64 (ptr): Looks like the BPF stack limit is exceeded.")

    sink = DiagnosticSink()
    backend = Overflowing()
    _, program = pipeline.front(SourceFile("case.bt", "begin { exit(); }"), kernel(), pipeline.Options(X86_64), sink)
    with pytest.raises(pipeline.CompileError):
        back.compile_program(program, backend, sink, pipeline.Timings())
    backend.close()
    assert "case.bt:1:1-6: ERROR: This probe needs more stack than the 512 bytes" in sink.render()


def test_attach_point_that_parameters_complete() -> None:
    message = resources('uprobe:"/a:b":f$1 { print($1); } $2 { }')
    first, second = (probe.late for probe in message.probes)
    assert (first.probe_type, second.probe_type) == ("uprobe", "")
    assert [[piece.text for piece in part.pieces] for part in first.parts] == [["uprobe"], ["/a:b"], ["f", ""]]
    piece = first.parts[2].pieces[1]
    assert piece.is_parameter
    assert message.parameters[piece.parameter].position == 1
    assert message.parameters[second.parts[0].pieces[0].parameter].kind == pb.Parameter.WORD
    assert {"shim_attach_late", "shim_attach_uprobe", "shim_attach_interval"} <= set(features(message))


def test_packets_go_through_a_map_and_a_feature_of_their_own() -> None:
    script = 'fentry:loopback_xmit { $a = skboutput("p", args.skb, 9, 14); $b = skboutput("p", args.skb, 9, 0); }'
    message = resources(script)
    maps = [entry for entry in message.maps if entry.role == pb.Map.PACKETS]
    assert [(entry.bpf_type, entry.max_entries) for entry in maps] == [(4, 1 << 24)]
    assert [(action.skb_output.path, action.skb_output.offset) for action in message.actions] == [("p", 14), ("p", 0)]
    assert "shim_action_skb_output" in features(message)
    chosen = by_name(resources("config = { perf_rb_pages = 8 } " + script))["packets"]
    assert chosen.max_entries == 8 * 4096
    plain = resources("BEGIN { exit(); }")
    assert all(entry.role != pb.Map.PACKETS for entry in plain.maps)
    assert "shim_action_skb_output" not in features(plain)


def test_unwatch_is_a_feature() -> None:
    probe = "watchpoint:0x1000:8:w { CALL }"
    message = resources(probe.replace("CALL", "unwatch(0x1000);"))
    (action,) = message.actions
    argument = action.unwatch.address
    assert (message.types[argument.type].kind, message.types[argument.type].size) == (pb.Type.INTEGER, 8)
    assert {"shim_action_unwatch", "shim_attach_watchpoint"} <= set(features(message))
    assert "shim_action_unwatch" not in features(resources(probe.replace("CALL", "")))


def test_unwinding_has_its_maps_and_one_walk() -> None:
    text = """
        config = { unstable_dw_ustack = enable }
        kprobe:vfs_read { @a[dw_ustack(3)] = count(); @b = dw_ustack(raw, 200); }
        kprobe:vfs_write { @c[dw_ustack] = count(); }
    """
    message = resources(text)
    maps = by_name(message)
    memory = maps["unwind_memory"]
    assert (memory.max_entries, memory.value_size) == (2, 256 + 200 * 8)
    inner = {name: maps[f"unwind_{name}"].inner_value_size for name in ("processes", "rows", "rules")}
    assert inner == {"processes": 32, "rows": 8, "rules": 88}
    for program in message.programs:
        assert len(program.functions) == len({info.btf_type for info in program.functions})
    assert sum(action.HasField("unwind_refresh") for action in message.actions) == 3
    assert {"shim_unwind_open", "shim_action_unwind_refresh"} <= set(features(message))


def test_unwinding_is_for_x86_64_only() -> None:
    with pytest.raises(AssertionError, match="dw_ustack is only available on x86_64"):
        compile_text("config = { unstable_dw_ustack = enable } kprobe:vfs_read { print(dw_ustack); }", arch="arm64")
