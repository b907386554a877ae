"""Reads the declarations out of libclang's translation unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clang.cindex import Cursor, CursorKind, TypeKind
from clang.cindex import Type as CType

from compiler.types.c_declarations import CDeclarations, CDiagnostic
from compiler.types.lattice import (
    NONE,
    UINT8,
    VOID,
    Array,
    Enum,
    Field,
    Integer,
    Pointer,
    String,
    Struct,
    StructLayout,
    Type,
    TypeSource,
)

_VOIDS = {TypeKind.VOID, TypeKind.FUNCTIONPROTO, TypeKind.FUNCTIONNOPROTO}
_SIGNED = {TypeKind.CHAR_S, TypeKind.SCHAR, TypeKind.SHORT, TypeKind.INT, TypeKind.LONG, TypeKind.LONGLONG}
_UNSIGNED = {TypeKind.CHAR_U, TypeKind.UCHAR, TypeKind.USHORT, TypeKind.UINT, TypeKind.ULONG, TypeKind.ULONGLONG}
_CHARACTERS = {TypeKind.CHAR_S, TypeKind.CHAR_U}
_ARRAYS = {TypeKind.CONSTANTARRAY, TypeKind.INCOMPLETEARRAY}
_RECORDS = {CursorKind.STRUCT_DECL, CursorKind.UNION_DECL}
_ENUM_SIZE = 4


class CReader:
    """Types that `kernel_file` declares are placeholders: the kernel's own take their place."""

    def __init__(self, kernel: TypeSource, kernel_file: str) -> None:
        self._kernel = kernel
        self._kernel_file = kernel_file
        self._result = CDeclarations()
        self._structs: dict[str, Struct] = {}  # by libclang's unified symbol resolution, as are the next
        self._enums: dict[str, Enum] = {}

    def read(self, unit: Cursor, diagnostics: Sequence[CDiagnostic]) -> CDeclarations:
        self._result.diagnostics = diagnostics
        for cursor in unit.get_children():
            if cursor.location.file is None or cursor.location.file.name == self._kernel_file:
                continue
            if cursor.kind is CursorKind.MACRO_DEFINITION:
                self._macro(cursor)
            elif cursor.kind in _RECORDS and cursor.is_definition():
                self._struct(cursor)
            elif cursor.kind is CursorKind.ENUM_DECL and cursor.is_definition():
                self._enum(cursor)
            elif cursor.kind is CursorKind.TYPEDEF_DECL:
                self._result.typedefs[cursor.spelling] = self._type(cursor.underlying_typedef_type)
        return self._result

    def _macro(self, cursor: Cursor) -> None:
        name, *body = cursor.get_tokens()
        try:
            texts = [token.spelling for token in body]
            is_function_like = bool(body) and texts[0] == "(" and body[0].extent.start == name.extent.end
            if body and not is_function_like:
                self._result.macros[cursor.spelling] = " ".join(texts)
        except UnicodeDecodeError:
            pass  # not UTF-8: no expression of ours

    def _type(self, written: CType) -> Type:
        kernel_type = self._kernel_type(written.get_declaration())
        if kernel_type is not None:
            return kernel_type
        actual = written.get_canonical()
        if actual.kind in _VOIDS:
            return VOID
        if actual.kind is TypeKind.BOOL:
            return UINT8  # as a number: so scripts print it
        if actual.kind in _SIGNED or actual.kind in _UNSIGNED:
            return Integer(actual.get_size() * 8, actual.kind in _SIGNED)
        if actual.kind is TypeKind.POINTER:
            # As written, it still tells placeholders of typedefs apart.
            return Pointer(self._type((written if written.kind is TypeKind.POINTER else actual).get_pointee()))
        if actual.kind is TypeKind.RECORD:
            return self._struct(actual.get_declaration())
        if actual.kind is TypeKind.ENUM:
            return self._enum(actual.get_declaration())
        if actual.kind in _ARRAYS:
            count = actual.element_count if actual.kind is TypeKind.CONSTANTARRAY else 0
            array = written if written.kind in _ARRAYS else actual
            if array.element_type.get_canonical().kind in _CHARACTERS:
                return String(count)
            return Array(self._type(array.element_type), count)
        return NONE

    def _kernel_type(self, declaration: Cursor) -> Type | None:
        if declaration.location.file is None or declaration.location.file.name != self._kernel_file:
            return None
        match declaration.kind:
            case CursorKind.STRUCT_DECL:
                return self._kernel.struct(declaration.spelling)
            case CursorKind.UNION_DECL:
                return self._kernel.union(declaration.spelling)
            case CursorKind.ENUM_DECL:
                return self._kernel.enum(declaration.spelling)
            case _:
                return self._kernel.typedef(declaration.spelling)

    def _struct(self, declaration: Cursor) -> Struct:
        known = self._structs.get(declaration.get_usr())
        if known is not None:
            return known
        is_union = declaration.kind is CursorKind.UNION_DECL
        name = _name(declaration)
        definition = declaration.get_definition()
        if definition is None:
            # What the script leaves incomplete is the kernel's, if that has it: pointers to it can be followed.
            of_kernel = self._kernel.union(name) if is_union else self._kernel.struct(name)
            if of_kernel is not None:
                return of_kernel
        struct = self._result.add_struct(name, is_union)
        self._structs[declaration.get_usr()] = struct
        if definition is not None:
            fields = tuple(self._fields(definition, 0, ()))
            self._result.layouts[struct.key] = StructLayout(definition.type.get_size(), fields)
        return struct

    def _fields(self, definition: Cursor, start: int, path: tuple[int, ...]) -> Iterator[Field]:
        for index, member in enumerate(definition.type.get_fields()):
            here, offset = (*path, index), start + member.get_field_offsetof()
            inner = member.type.get_canonical().get_declaration()
            if inner.kind in _RECORDS and not _name(member):
                yield from self._fields(inner, offset, here)
            elif _name(member):
                width = member.get_bitfield_width() if member.is_bitfield() else 0
                yield Field(member.spelling, self._type(member.type), offset, width, path=here)

    def _enum(self, declaration: Cursor) -> Enum:
        known = self._enums.get(declaration.get_usr())
        if known is not None:
            return known
        constants = [child for child in declaration.get_children() if child.kind is CursorKind.ENUM_CONSTANT_DECL]
        values = {constant.spelling: constant.enum_value for constant in constants}
        size = declaration.enum_type.get_size()
        size = size if size > 0 else _ENUM_SIZE  # of one that is only declared it is an error code
        enum = self._result.add_enum(_name(declaration), size * 8, values)
        self._enums[declaration.get_usr()] = enum
        return enum


def _name(cursor: Cursor) -> str:
    """The cursor's name; "" for what is anonymous, which newer versions of libclang spell "(unnamed struct at ...)"."""
    name = str(cursor.spelling)
    return "" if "(" in name else name
