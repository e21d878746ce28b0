"""One halo exchange of a field: pack, persistent messages, unpack.

Messages of all pieces for one rank are packed into one. A run of memory blocks is not packed: it is a message of its
own that MPI reads and writes in the field, if nobody writes the field meanwhile.
"""

from __future__ import annotations

from ..backend import device


class Exchange:
    """Exchange of fixed pieces (buffer, parity, halo) of a field; `start`, some `progress`, `finish`."""

    poison = False  # debug mode: halos are NaN from the moment they are stale

    def __init__(self, field, pieces):
        self._field = field
        self._copies, sends, receives = [], {}, {}
        runs_out, runs_in = [], []
        for buffer, parity, halo in pieces:
            for part in halo.parts[parity]:
                if part.source is None:
                    self._copies.append((buffer, part))
                    continue
                if part.run and field.settled and device.sends_in_place():
                    runs_out.append((part.target, self._run(buffer, part.sent_blocks)))
                    runs_in.append((part.source, self._run(buffer, part.ghost_blocks)))
                    continue
                if len(part.sent):
                    sends.setdefault(part.target, []).append((buffer, part.sent, part.sent_blocks))
                if len(part.ghosts):
                    receives.setdefault(part.source, []).append((buffer, part.ghosts, part.ghost_blocks))
        self._packs, self._unpacks = [], []
        outgoing = [(rank, self._message(items, self._packs)) for rank, items in sorted(sends.items())]
        incoming = [(rank, self._message(items, self._unpacks)) for rank, items in sorted(receives.items())]
        self._outgoing, self._incoming = ([message for _, message in listed] for listed in (outgoing, incoming))
        self._local = [self._local_copy(buffer, part) for buffer, part in self._copies]
        sent, received = ([(rank, device.wire(message)) for rank, message in listed] for listed in (outgoing, incoming))
        sent, received = sent + runs_out, received + runs_in
        self._channel = field.lattice.comm.channel(sent, received) if sent or received else None

    def _message(self, items, moves):
        field = self._field
        message = self._memory(sum(len(slots) for _, slots, _ in items))
        position = 0
        for buffer, slots, blocks in items:
            moves.append((message, position, buffer, slots, blocks))
            position += len(slots) * field.reals
        return message

    def _run(self, buffer, blocks):
        """The memory of successive blocks."""
        return self._field.data[buffer, blocks[0] : blocks[-1] + 1]

    def _memory(self, slots):
        field = self._field
        return device.message(slots * field.reals, field.data.dtype, field.lattice.comm)

    def _local_copy(self, buffer, part):
        message = self._memory(len(part.sent))
        return (message, 0, buffer, part.sent, None), (message, 0, buffer, part.ghosts, None)

    def start(self):
        for move in self._packs:
            self._move("pack", *move)
        if self._channel:
            device.collect(self._outgoing)
            self._channel.start()
        for pack, unpack in self._local:
            self._move("pack", *pack)
            self._move("unpack", *unpack)

    def progress(self):
        """Let MPI move messages on; whether all have arrived."""
        return self._channel is None or self._channel.progress()

    def finish(self):
        if self._channel:
            self._channel.finish()
            device.deliver(self._incoming)
        for move in self._unpacks:
            self._move("unpack", *move)

    def _move(self, verb, message, position, buffer, slots, blocks):
        field = self._field
        device.move(verb, message, position, field.data[buffer], slots, blocks, field.reals, field.layout.group)
