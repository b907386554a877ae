"""The snapshot file: `KernelSnapshot` of proto/kernel_snapshot.proto, written and read.

`encode` makes the same bytes of the same snapshot, whatever form it has. Nothing of a file is trusted: what is wrong
with it ends in a SnapshotError.
"""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from pathlib import Path

from google.protobuf.message import DecodeError

from compiler.types.btf import Btf, Kind
from compiler.types.errors import SnapshotError
from compiler.types.snapshot import VMLINUX, Snapshot
from proto.kernel_snapshot_pb2 import Blob, KernelSnapshot, Module, NameSet, TracepointCategory

MAGIC = b"BPFKSNAP"
FORMAT_VERSION = 1
_HEADER = struct.Struct("<8sI")
_MAX_BLOB = 256 << 20

# What most compilations read is packed with the codec that unpacks fastest, the rest with the one that packs best.
# Measured on Debian's 6.12: vmlinux's BTF (4.7 MB) is 1.54 MB and 21 ms with zlib, 1.12 MB and 60 ms with xz.
_FAST, _SMALL = Blob.ZLIB, Blob.XZ


def encode(snapshot: Snapshot, progress: Callable[[str], None] = lambda _: None) -> bytes:
    """The file's bytes. `progress` is told each part before it is worked on."""
    message = KernelSnapshot(
        format_version=FORMAT_VERSION,
        release=snapshot.release,
        arch=snapshot.arch,
        modules=[_encode_module(snapshot, name, progress) for name in snapshot.modules],
        tracepoints=[_encode_category(snapshot, name, progress) for name in snapshot.categories],
    )
    return _HEADER.pack(MAGIC, FORMAT_VERSION) + message.SerializeToString(deterministic=True)


def _encode_module(snapshot: Snapshot, name: str, progress: Callable[[str], None]) -> Module:
    progress(f"module {name}" if name != VMLINUX else name)
    btf = snapshot.btf(name)
    return Module(
        name=name,
        btf=_pack(btf.data, _FAST if name == VMLINUX else _SMALL) if btf else None,
        traceable=_encode_names(snapshot.traceable(name), btf, Kind.FUNC),
        functions=_encode_names(snapshot.functions(name), btf, Kind.FUNC),
        objects=_encode_names(snapshot.objects(name), btf, Kind.VAR),
    )


def _encode_names(names: AbstractSet[str], btf: Btf | None, kind: Kind) -> NameSet:
    bits, rest = bytearray(), set(names)
    for type_id, name in btf.named(kind) if btf else ():
        if name in names:
            rest.discard(name)
            bit = type_id - btf.own_ids.start if btf else 0
            bits.extend(bytes(max(0, bit // 8 + 1 - len(bits))))
            bits[bit // 8] |= 1 << bit % 8
    others = b"".join(name + b"\n" for name in sorted(name.encode() for name in rest))
    return NameSet(btf_types=_pack(bytes(bits), _FAST), others=_pack(others, _SMALL))


def _encode_category(snapshot: Snapshot, name: str, progress: Callable[[str], None]) -> TracepointCategory:
    progress(f"tracepoints {name}")
    events = snapshot.events(name)
    formats = [(snapshot.format(name, event) or "").partition("\nprint fmt:")[0] + "\0" for event in events]
    return TracepointCategory(name=name, events=events, formats=_pack("".join(formats).encode(), _FAST))


def _pack(data: bytes, codec: Blob.Codec) -> Blob:
    """Packed, or stored where that is not larger."""
    packed = zlib.compress(data, 9) if codec == Blob.ZLIB else lzma.compress(data, preset=6)
    if len(packed) >= len(data):
        return Blob(codec=Blob.STORED, size=len(data), data=data)
    return Blob(codec=codec, size=len(data), data=packed)


class FileSnapshot:
    """See `Snapshot`."""

    def __init__(self, name: str, data: bytes) -> None:
        """Raises SnapshotError; `name` is what its message calls the file."""
        self._name = name
        if len(data) < _HEADER.size or not data.startswith(MAGIC):
            raise SnapshotError(f"{name}: not a kernel snapshot")
        version = _HEADER.unpack_from(data)[1]
        if version != FORMAT_VERSION:
            raise SnapshotError(f"{name}: snapshot format {version}, but this compiler reads format {FORMAT_VERSION}")
        try:
            self._message = KernelSnapshot.FromString(data[_HEADER.size :])
        except DecodeError as error:
            raise SnapshotError(f"{name}: damaged kernel snapshot: {error}") from error
        self._modules = {module.name: module for module in self._message.modules}
        self._categories = {category.name: category for category in self._message.tracepoints}
        if VMLINUX not in self._modules:
            raise SnapshotError(f"{name}: damaged kernel snapshot: it has no {VMLINUX}")
        self._btf: dict[str, Btf | None] = {}
        self._formats: dict[str, dict[str, str]] = {}
        self._name_sets: dict[tuple[str, str], AbstractSet[str]] = {}

    @staticmethod
    def load(path: Path) -> FileSnapshot:
        try:
            return FileSnapshot(str(path), path.read_bytes())
        except OSError as error:
            raise SnapshotError(f"{path}: {error.strerror}") from error

    @property
    def release(self) -> str:
        return self._message.release

    @property
    def arch(self) -> str:
        return self._message.arch

    @cached_property
    def modules(self) -> Sequence[str]:
        return list(self._modules)

    def btf(self, module: str) -> Btf | None:
        if module not in self._btf:
            blob = self._modules[module].btf if module in self._modules else Blob()
            try:
                base = None if module == VMLINUX else self.btf(VMLINUX)
                self._btf[module] = Btf(self._unpack(blob, f"BTF of {module}"), base) if blob.size else None
            except SnapshotError as error:
                raise SnapshotError(f"{self._name}: {error}") from error
        return self._btf[module]

    def traceable(self, module: str) -> AbstractSet[str]:
        return self._names(module, "traceable", Kind.FUNC)

    def functions(self, module: str) -> AbstractSet[str]:
        return self._names(module, "functions", Kind.FUNC)

    def objects(self, module: str) -> AbstractSet[str]:
        return self._names(module, "objects", Kind.VAR)

    def _names(self, module: str, which: str, kind: Kind) -> AbstractSet[str]:
        if module not in self._modules:
            return frozenset()
        key = module, which
        if key not in self._name_sets:
            stored: NameSet = getattr(self._modules[module], which)
            part = f"{which} of {module}"
            bits = self._unpack(stored.btf_types, part)
            self._name_sets[key] = _Names(self.btf(module), kind, bits, lambda: self._unpack(stored.others, part))
        return self._name_sets[key]

    @property
    def categories(self) -> Sequence[str]:
        return list(self._categories)

    def events(self, category: str) -> Sequence[str]:
        return list(self._categories[category].events) if category in self._categories else []

    def format(self, category: str, event: str) -> str | None:
        if category not in self._formats:
            stored = self._categories.get(category)
            if stored is None:
                return None
            texts = self._unpack(stored.formats, f"tracepoints {category}").decode("utf-8", "replace").split("\0")
            if len(texts) != len(stored.events) + 1:
                raise SnapshotError(f"{self._name}: damaged kernel snapshot: formats of tracepoints {category}")
            self._formats[category] = dict(zip(stored.events, texts, strict=False))
        return self._formats[category].get(event)

    def _unpack(self, blob: Blob, part: str) -> bytes:
        """The blob's data; never more than its size says, so that a small file cannot fill the memory."""
        data = b""
        try:
            if blob.size > _MAX_BLOB:
                raise SnapshotError(f"{self._name}: damaged kernel snapshot: {part} claims {blob.size} bytes")
            if blob.codec == Blob.STORED:
                data = blob.data
            elif blob.codec == Blob.ZLIB:
                data = zlib.decompressobj().decompress(blob.data, blob.size)
            elif blob.codec == Blob.XZ:
                data = lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(blob.data, blob.size)
        except (zlib.error, lzma.LZMAError, EOFError) as error:
            raise SnapshotError(f"{self._name}: damaged kernel snapshot: {part}: {error}") from error
        if len(data) != blob.size:
            raise SnapshotError(f"{self._name}: damaged kernel snapshot: {part} is not {blob.size} bytes")
        return data


class _Names(AbstractSet[str]):
    """A NameSet. A look-up costs one search in the BTF, and unpacks the other names only if that finds nothing."""

    def __init__(self, btf: Btf | None, kind: Kind, bits: bytes, others: Callable[[], bytes]) -> None:
        self._btf = btf
        self._kind = kind
        self._bits = bits
        self._unpack_others = others

    @cached_property
    def _others(self) -> AbstractSet[str]:
        return frozenset(self._unpack_others().decode("utf-8", "replace").splitlines())

    @cached_property
    def _all(self) -> AbstractSet[str]:
        in_btf = self._btf.named(self._kind) if self._btf else ()
        return frozenset(name for type_id, name in in_btf if self._has_bit(type_id)) | self._others

    def _has_bit(self, type_id: int) -> bool:
        bit = type_id - self._btf.own_ids.start if self._btf else 0
        return bit // 8 < len(self._bits) and bool(self._bits[bit // 8] >> bit % 8 & 1)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        if self._btf and any(self._has_bit(type_id) for type_id in self._btf.find(name, self._kind)):
            return True
        return name in self._others

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)
