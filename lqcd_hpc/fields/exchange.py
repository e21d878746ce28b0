"""One halo exchange of a field: pack, persistent messages, unpack."""

from __future__ import annotations

import ctypes

import numpy as np

from ..backend import cpu

_WORD = {4: "uint32_t", 8: "uint64_t"}


class Exchange:
    """Exchange of fixed pieces (buffer, parity, halo) of a field; `start`, some `progress`, `finish`."""

    poison = False  # debug mode: halos are NaN from the moment they are stale

    def __init__(self, field, pieces):
        self._field = field
        self._copies, sends, receives = [], {}, {}
        for buffer, parity, halo in pieces:
            for part in halo.parts[parity]:
                if part.source is None:
                    self._copies.append((buffer, part))
                    continue
                if len(part.sent):
                    sends.setdefault(part.target, []).append((buffer, part.sent, part.sent_blocks))
                if len(part.ghosts):
                    receives.setdefault(part.source, []).append((buffer, part.ghosts, part.ghost_blocks))
        self._packs, self._unpacks = [], []
        outgoing = [(rank, self._message(items, self._packs)) for rank, items in sorted(sends.items())]
        incoming = [(rank, self._message(items, self._unpacks)) for rank, items in sorted(receives.items())]
        self._local = [self._local_copy(buffer, part) for buffer, part in self._copies]
        comm = field.lattice.comm
        self._channel = comm.channel(outgoing, incoming) if outgoing or incoming else None

    def _message(self, items, moves):
        field = self._field
        total = sum(len(slots) for _, slots, _ in items) * field.reals
        message = np.empty(total, field.data.dtype)
        position = 0
        for buffer, slots, blocks in items:
            count = len(slots) * field.reals
            moves.append((message[position : position + count], buffer, slots, blocks))
            position += count
        return message

    def _local_copy(self, buffer, part):
        message = np.empty(len(part.sent) * self._field.reals, self._field.data.dtype)
        return (message, buffer, part.sent, None), (message, buffer, part.ghosts, None)

    def start(self):
        for move in self._packs:
            self._move("pack", *move)
        if self._channel:
            self._channel.start()
        for pack, unpack in self._local:
            self._move("pack", *pack)
            self._move("unpack", *unpack)

    def progress(self):
        if self._channel:
            self._channel.progress()

    def finish(self):
        if self._channel:
            self._channel.finish()
        for move in self._unpacks:
            self._move("unpack", *move)

    def _move(self, verb, message, buffer, slots, blocks):
        field, runtime = self._field, cpu.runtime()
        memory = ctypes.c_void_p(field.data[buffer].ctypes.data)
        packed = ctypes.c_void_p(message.ctypes.data)
        if blocks is not None:
            size = field.reals * field.layout.group * field.data.dtype.itemsize
            source_target = (packed, memory)
            getattr(runtime, f"{verb}_blocks")(
                *source_target, ctypes.c_void_p(blocks.ctypes.data), ctypes.c_int64(len(blocks)), ctypes.c_int64(size)
            )
            return
        getattr(runtime, f"{verb}_{_WORD[field.data.dtype.itemsize]}")(
            packed,
            memory,
            ctypes.c_void_p(slots.ctypes.data),
            ctypes.c_int64(len(slots)),
            ctypes.c_int64(field.reals),
            ctypes.c_int64(field.layout.group),
        )
