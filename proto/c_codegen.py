"""Writes the C structs of a protobuf schema and the tables by which `shim/decode.c` fills them.

The shim reads one message, once, at start-up, with nothing but libc. So this covers what `required_resources.proto`
uses and refuses the rest: proto3 messages that do not contain themselves, with bool, uint32, uint64, int64, enum,
string, bytes and message fields, oneofs of messages, and repeated strings and messages.

How a schema looks in C (`snake` is the message's name in snake case):

    message M                   struct pb_<snake>
    enum value V (inside M)     PB_<SNAKE>_V;  at the top level PB_V
    bool, uint32, uint64, int64 bool, uint32_t, uint64_t, int64_t
    enum                        uint32_t, since a message may hold a number that the schema does not know
    string f                    const char *f, ended by NUL and never NULL
    bytes f                     struct pb_bytes f, a view into the message
    M f                         const struct pb_m *f, NULL if absent
    repeated M f                const struct pb_m *f; uint32_t f_count
    oneof o { A a = 1; }        uint32_t o_case, 0 or PB_<SNAKE>_<O>_A (the field's number), and pointers in a union

The encoding is described at https://protobuf.dev/programming-guides/encoding/.
"""

import argparse
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

_SCALARS = {
    FieldDescriptorProto.TYPE_BOOL: ("bool ", "LAYOUT_BOOL"),
    FieldDescriptorProto.TYPE_UINT32: ("uint32_t ", "LAYOUT_UINT32"),
    FieldDescriptorProto.TYPE_ENUM: ("uint32_t ", "LAYOUT_UINT32"),
    FieldDescriptorProto.TYPE_UINT64: ("uint64_t ", "LAYOUT_UINT64"),
    FieldDescriptorProto.TYPE_INT64: ("int64_t ", "LAYOUT_UINT64"),
    FieldDescriptorProto.TYPE_STRING: ("const char *", "LAYOUT_STRING"),
    FieldDescriptorProto.TYPE_BYTES: ("struct pb_bytes ", "LAYOUT_BYTES"),
}
_REPEATABLE = (FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_MESSAGE)
_MAX_FIELD_NUMBER = 255  # fits the uint8_t of struct field_layout


class SchemaError(Exception):
    """The schema uses a construct that the shim's decoder does not know."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the schema: its full name (".package.Outer.Inner"), its C name ("pb_inner") and its descriptor."""

    full_name: str
    c_name: str
    descriptor: DescriptorProto


def snake_case(name: str) -> str:
    """Turns CamelCase into snake_case.

    >>> snake_case("RequiredResources")
    'required_resources'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _collect(files: Iterable[FileDescriptorProto]) -> list[Message]:
    """All messages of the files, each before those that contain it."""

    def walk(prefix: str, messages: list[DescriptorProto]) -> Iterator[Message]:
        for message in messages:
            full_name = f"{prefix}.{message.name}"
            yield from walk(full_name, list(message.nested_type))
            yield Message(full_name, f"pb_{snake_case(message.name)}", message)

    found = {m.full_name: m for file in files for m in walk(f".{file.package}", list(file.message_type))}
    ordered: dict[str, Message] = {}

    def visit(message: Message, path: tuple[str, ...]) -> None:
        if message.full_name in path:
            raise SchemaError(f"{message.full_name}: a message that contains itself has no bounded nesting")
        if message.full_name in ordered:
            return
        for field in message.descriptor.field:
            if field.type == FieldDescriptorProto.TYPE_MESSAGE:
                visit(found[field.type_name], (*path, message.full_name))
        ordered[message.full_name] = message

    for message in found.values():
        visit(message, ())
    names = [message.c_name for message in ordered.values()]
    if len(set(names)) != len(names):
        raise SchemaError("two messages have the same name in C")
    return list(ordered.values())


def _enum(scope: str, enum: EnumDescriptorProto) -> str:
    values = [f"  PB_{scope}{value.name} = {value.number}," for value in enum.value]
    return "\n".join([f"// {enum.name}", "enum {", *values, "};", ""])


def _is_repeated(field: FieldDescriptorProto) -> bool:
    return field.label == FieldDescriptorProto.LABEL_REPEATED


def _check(message: Message, field: FieldDescriptorProto) -> None:
    where = f"{message.full_name}.{field.name}"
    is_message = field.type == FieldDescriptorProto.TYPE_MESSAGE
    if field.type not in _SCALARS and not is_message:
        raise SchemaError(f"{where}: this field type is not supported")
    if _is_repeated(field) and field.type not in _REPEATABLE:
        raise SchemaError(f"{where}: repeated fields of this type are not supported")
    if field.HasField("oneof_index") and not is_message:
        raise SchemaError(f"{where}: a member of a oneof must be a message")
    if field.number > _MAX_FIELD_NUMBER:
        raise SchemaError(f"{where}: field numbers end at {_MAX_FIELD_NUMBER}")


def _c_type(field: FieldDescriptorProto, by_name: dict[str, Message]) -> str:
    if field.type == FieldDescriptorProto.TYPE_MESSAGE:
        return f"const struct {by_name[field.type_name].c_name} *"
    c_type, _ = _SCALARS[field.type]
    return f"{c_type}const *" if _is_repeated(field) else c_type


def _struct(message: Message, by_name: dict[str, Message]) -> str:
    scope = snake_case(message.descriptor.name).upper() + "_"
    lines = [_enum(scope, enum) for enum in message.descriptor.enum_type]
    oneofs = [oneof.name for oneof in message.descriptor.oneof_decl]
    for index, oneof in enumerate(oneofs):
        members = [f for f in message.descriptor.field if f.HasField("oneof_index") and f.oneof_index == index]
        values = [f"  PB_{scope}{oneof.upper()}_{f.name.upper()} = {f.number}," for f in members]
        lines += [f"// {message.descriptor.name}, which member of {oneof} is set", "enum {", *values, "};", ""]
    lines.append(f"struct {message.c_name} {{")
    opened: set[int] = set()
    for field in message.descriptor.field:
        _check(message, field)
        if field.HasField("oneof_index"):
            if field.oneof_index in opened:
                continue
            opened.add(field.oneof_index)
            members = [
                f for f in message.descriptor.field if f.HasField("oneof_index") and f.oneof_index == field.oneof_index
            ]
            lines += [f"  uint32_t {oneofs[field.oneof_index]}_case;", "  union {"]
            lines += [f"    {_c_type(f, by_name)}{f.name};" for f in members]
            lines.append("  };")
            continue
        lines.append(f"  {_c_type(field, by_name)}{field.name};")
        if _is_repeated(field):
            lines.append(f"  uint32_t {field.name}_count;")
    if not message.descriptor.field:
        lines.append("  char unused;  // C has no empty structs")
    return "\n".join([*lines, "};", ""])


def _table_row(message: Message, field: FieldDescriptorProto, numbers: dict[str, int]) -> str:
    if field.type == FieldDescriptorProto.TYPE_MESSAGE:
        kind, target = "LAYOUT_MESSAGE", str(numbers[field.type_name])
    else:
        kind, target = _SCALARS[field.type][1], "0"
    extra = "0"
    if _is_repeated(field):
        kind += " | LAYOUT_REPEATED"
        extra = f"offsetof(struct {message.c_name}, {field.name}_count)"
    elif field.HasField("oneof_index"):
        kind += " | LAYOUT_ONEOF"
        extra = f"offsetof(struct {message.c_name}, {message.descriptor.oneof_decl[field.oneof_index].name}_case)"
    return f"    {{{field.number}, {kind}, {target}, offsetof(struct {message.c_name}, {field.name}), {extra}}},"


def generate(files: Sequence[FileDescriptorProto], header_name: str) -> tuple[str, str]:
    """Returns the texts of the header and of the source for a schema and, before it, what it imports.

    `header_name` is what the source includes.

    Raises SchemaError for a construct that the decoder does not know.
    """
    messages = _collect(files)
    by_name = {message.full_name: message for message in messages}
    numbers = {message.full_name: index for index, message in enumerate(messages)}
    guard = re.sub(r"\W", "_", header_name).upper()
    note = f"// Generated by proto/c_codegen.py from {files[-1].name}. Do not edit."

    header = [
        note,
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        "#include <stdbool.h>",
        "#include <stdint.h>",
        "",
        '#include "shim/decode.h"',
        "",
    ]
    header += [_enum("", enum) for file in files for enum in file.enum_type]
    header += [_struct(message, by_name) for message in messages]
    header += ["// Indexes into message_layouts.", "enum {"]
    header += [f"  {message.c_name.upper()}_MESSAGE = {numbers[message.full_name]}," for message in messages]
    header += ["};", "", "extern const struct message_layout message_layouts[];", "", "#endif", ""]

    source = [note, f'#include "{header_name}"', "", "#include <stddef.h>", ""]
    for message in messages:
        if message.descriptor.field:
            source.append(f"static const struct field_layout {message.c_name}_fields[] = {{")
            source += [_table_row(message, field, numbers) for field in message.descriptor.field]
            source += ["};", ""]
    source.append("const struct message_layout message_layouts[] = {")
    for message in messages:
        fields = f"{message.c_name}_fields" if message.descriptor.field else "NULL"
        source.append(f"    {{{fields}, {len(message.descriptor.field)}, sizeof(struct {message.c_name})}},")
    source += ["};", ""]
    return "\n".join(header), "\n".join(source)


def main() -> None:
    """Reads a FileDescriptorSet and writes header and source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--descriptor-set", type=Path, required=True, help="as protoc --include_imports writes it")
    parser.add_argument("--header", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--include-as", required=True, help="the name by which C sources include the header")
    args = parser.parse_args()
    files = FileDescriptorSet.FromString(args.descriptor_set.read_bytes()).file
    header, source = generate(files, args.include_as)
    args.header.write_text(header)
    args.source.write_text(source)


if __name__ == "__main__":
    main()
