"""Actions of the analyzed program as messages."""

from __future__ import annotations

from typing import Any

from compiler.analysis import program
from compiler.object.tables import Tables
from compiler.syntax.source import encode
from compiler.types import lattice
from proto import required_resources_pb2 as pb

_SEVERITIES = {
    program.Severity.OUTPUT: pb.Printf.OUTPUT,
    program.Severity.WARNING: pb.Printf.WARNING,
    program.Severity.ERROR: pb.Printf.ERROR,
}

_ERRORS = {
    program.RuntimeErrorKind.HELPER: pb.RuntimeError.HELPER,
    program.RuntimeErrorKind.DIVIDE_BY_ZERO: pb.RuntimeError.DIVIDE_BY_ZERO,
    program.RuntimeErrorKind.ARRAY_OUT_OF_BOUNDS: pb.RuntimeError.ARRAY_OUT_OF_BOUNDS,
    program.RuntimeErrorKind.KSTACK: pb.RuntimeError.KSTACK,
    program.RuntimeErrorKind.USTACK: pb.RuntimeError.USTACK,
    program.RuntimeErrorKind.USTACK_NO_DWARF: pb.RuntimeError.USTACK_NO_DWARF,
    program.RuntimeErrorKind.LAYOUT: pb.RuntimeError.LAYOUT,
}


def describe(action: program.Action, tables: Tables, map_index: dict[str, int]) -> pb.Action:
    """`map_index` gives the position of the script's maps, by name."""
    entry = pb.Action(span=tables.span(action.span))
    match action:
        case program.PrintfAction():
            entry.printf.severity = _SEVERITIES[action.severity]
            entry.printf.format.CopyFrom(_format(action, action.format, tables))
        case program.SystemAction():
            entry.system.command.CopyFrom(_format(action, action.format, tables))
        case program.CatAction():
            entry.cat.path.CopyFrom(_format(action, action.format, tables))
        case program.PrintMapAction():
            entry.print_map.map = map_index[action.map.name]
        case program.PrintValueAction():
            entry.print_value.argument.CopyFrom(_argument(action.fields[0], tables))
        case program.ClearAction():
            entry.clear.map = map_index[action.map.name]
        case program.ZeroAction():
            entry.zero.map = map_index[action.map.name]
        case program.ExitAction():
            entry.exit.SetInParent()
            for field in action.fields:
                entry.exit.code.CopyFrom(_argument(field, tables))
        case program.UnwatchAction():
            entry.unwatch.address.CopyFrom(_argument(action.fields[0], tables))
        case program.TimeAction():
            entry.time.format = action.format
        case program.JoinAction():
            entry.join.delimiter = encode(action.delimiter)
            entry.join.offset = program.EVENT_HEADER_SIZE
            entry.join.count, entry.join.size = action.count, action.length
        case program.SkbOutputAction():
            entry.skb_output.path, entry.skb_output.offset = action.path, action.offset
        case program.UnwindRefreshAction():
            entry.unwind_refresh.SetInParent()
        case program.RuntimeErrorAction():
            error: Any = entry.runtime_error  # a type checker takes the message for the exception of that name
            error.kind = _ERRORS[action.kind]
            if action.kind is program.RuntimeErrorKind.HELPER:
                error.helper = action.helper
                error.result.type = tables.type(lattice.INT32)
                error.result.offset = program.EVENT_HEADER_SIZE
        case _:
            raise ValueError(f"no message for {action}")
    return entry


def _argument(field: program.EventField, tables: Tables) -> pb.Argument:
    return pb.Argument(type=tables.type(field.type), offset=field.offset)


def _format(action: program.Action, pieces: tuple[program.FormatPiece, ...], tables: Tables) -> pb.Format:
    message = pb.Format()
    for piece in pieces:
        entry = message.pieces.add(
            literal=encode(piece.literal),
            conversion=piece.conversion,
            length=piece.length,
            left_align=piece.left_align,
            show_sign=piece.show_sign,
            space_sign=piece.space_sign,
            alternate=piece.alternate,
            zero_pad=piece.zero_pad,
            width=piece.width or 0,
            width_given=piece.width is not None,
            precision=piece.precision or 0,
            precision_given=piece.precision is not None,
        )
        if piece.argument is not None:
            entry.argument.CopyFrom(_argument(action.fields[piece.argument], tables))
    return message
