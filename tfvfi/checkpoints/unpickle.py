"""Reads pickled weights without running code in them, by an interpreter of our own.

A pickle is a program. Python's unpickler runs it on Python's own objects: it imports what the
pickle names, calls what it reduces and calls `__setstate__` of what it builds. An allow-list
protects only as well as every class on it. This interpreter offers no such target: a name in a
pickle is text that is looked up in one table (`BUILDERS`), whose functions map plain data to plain
data (numbers, text, lists, dicts, descriptions of tensors). It imports nothing, accesses no
attributes and creates no classes. Names outside the table are rejected.

Its resources are bounded as well: every length is checked against the available bytes before they
are read, the number of steps is limited, nothing recurses, and integers have at most 16 bytes. Keys
of dicts are converted to text, whose hashes an attacker cannot predict.
"""

import struct
from collections.abc import Callable, Sequence, Sized
from typing import Any

from tfvfi.checkpoints.bounds import UnreadableError
from tfvfi.checkpoints.pickle_names import (
    BUILDERS,
    Name,
    NumpyArray,
    NumpyType,
    set_item,
    shown,
)

# A state dict takes about 30 steps per tensor.
MAX_STEPS = 1_000_000
MAX_NUMBER_BYTES = 16
MAX_LINE = 4096
# Items and characters that calls may copy, because a pickle can refer to one long text repeatedly.
MAX_COPIED = 64 * 2**20
STOP = ord(".")
# The exceptions that follow from plain data of the wrong kind, number or order.
NOT_AS_EXPECTED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    struct.error,
)


def unpickle(data: memoryview, position: int, persistent: Callable[[Any], Any]) -> tuple[Any, int]:
    """Returns the value that a pickle describes, and the position of its end.

    Args:
        data: Bytes that contain the pickle.
        position: The position of its beginning.
        persistent: Returns the storage for a persistent id.

    Raises:
        UnreadableError: The pickle is damaged, too large, or uses a name or an instruction that
            weights do not need.
    """
    machine = Machine(data, position, persistent)
    try:
        return machine.run(), machine.position
    except NOT_AS_EXPECTED:
        raise UnreadableError(
            "is damaged: its list of tensors cannot be read; get it anew"
        ) from None


class Machine:
    """An interpreter of pickles, with a stack and a memo.

    Args:
        data: Bytes that contain the pickle.
        position: The position of its beginning.
        persistent: Returns the storage for a persistent id.
    """

    def __init__(self, data: memoryview, position: int, persistent: Callable[[Any], Any]):
        self.data = data
        self.position = position
        self.persistent = persistent
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.copied = 0

    def run(self) -> Any:
        """Executes instructions up to the one that stops and returns the result."""
        for _ in range(MAX_STEPS):
            code = self.read(1)[0]
            if code == STOP:
                return self.stack.pop()
            if code not in INSTRUCTIONS:
                raise UnreadableError(
                    f"holds the pickle instruction {code:#04x}, which is not needed to read "
                    "weights; refused, nothing was run"
                )
            INSTRUCTIONS[code](self)
        raise UnreadableError("describes more objects than weights need; refused, nothing was run")

    def read(self, size: int) -> memoryview:
        """Returns the next bytes, or raises `UnreadableError` if there are too few."""
        if not 0 <= size <= len(self.data) - self.position:
            raise UnreadableError(
                "is cut off or damaged: its list of tensors ends early; get it anew"
            )
        self.position += size
        return self.data[self.position - size : self.position]

    def number(self, form: str) -> Any:
        """Returns the next number in a `struct` format."""
        return struct.unpack(form, self.read(struct.calcsize(form)))[0]

    def line(self) -> str:
        """Returns the next line of text."""
        head = bytes(self.data[self.position : self.position + MAX_LINE])
        end = head.index(b"\n")
        self.position += end + 1
        return head[:end].decode("utf-8")

    def push(self, value: Any) -> None:
        """Pushes a value on the stack."""
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        """Removes and returns what was pushed since the last mark."""
        items, self.stack = self.stack, self.marks.pop()
        return items

    def name(self, module: Any, name: Any) -> Name:
        """Returns a name that is in the table; any other is rejected."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError
        full = f"{module}.{name}"
        if full not in BUILDERS:
            raise UnreadableError(
                f"refers to {shown(full)}, which is not needed to read weights; "
                "refused, nothing was run"
            )
        return Name(full)

    def call(self, name: Any, arguments: Any) -> Any:
        """Returns the plain data that stand for a call of a name."""
        if not isinstance(name, Name) or not isinstance(arguments, tuple | list):
            raise ValueError
        builder = BUILDERS[name]
        if builder is None:
            raise UnreadableError(f"calls {name}, which is not needed to read weights; refused")
        self.count_copies(arguments)
        return builder(*arguments)

    def count_copies(self, values: Sequence[Any]) -> None:
        """Counts what a call copies, and rejects a pickle that copies too much."""
        self.copied += sum(len(value) for value in values if isinstance(value, Sized))
        if self.copied > MAX_COPIED:
            raise UnreadableError("copies more than weights need; refused, nothing was run")


def _reduce(machine: Machine) -> None:
    arguments, name = machine.stack.pop(), machine.stack.pop()
    machine.push(machine.call(name, arguments))


def _reduce_with_keywords(machine: Machine) -> None:
    machine.stack.pop()
    _reduce(machine)


def _instance(machine: Machine) -> None:
    name = machine.name(machine.line(), machine.line())
    machine.push(machine.call(name, machine.since_mark()))


def _object(machine: Machine) -> None:
    name, *arguments = machine.since_mark()
    machine.push(machine.call(name, arguments))


def _build(machine: Machine) -> None:
    """Applies state to NumPy data; the state of anything else holds no weights."""
    state, target = machine.stack.pop(), machine.stack[-1]
    if isinstance(target, NumpyType | NumpyArray):
        machine.count_copies(state)
        target.build(state)
    elif not isinstance(target, dict):
        raise ValueError


def _stack_name(machine: Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.push(machine.name(module, name))


def _set_items(machine: Machine) -> None:
    items = machine.since_mark()
    _set_all(machine.stack[-1], items)


def _set_item(machine: Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _set_all(machine.stack[-1], [key, value])


def _append_items(machine: Machine) -> None:
    items = machine.since_mark()
    _append_all(machine.stack[-1], items)


def _append_item(machine: Machine) -> None:
    item = machine.stack.pop()
    _append_all(machine.stack[-1], [item])


def _new_dict(machine: Machine) -> None:
    items = machine.since_mark()
    machine.push({})
    _set_all(machine.stack[-1], items)


def _mark(machine: Machine) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _pop(machine: Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.since_mark()


def _tuple_of(count: int) -> Callable[[Machine], None]:
    def make(machine: Machine) -> None:
        items = tuple(machine.stack.pop() for _ in range(count))
        machine.push(items[::-1])

    return make


def _whole_number(data: bytes) -> int:
    if len(data) > MAX_NUMBER_BYTES:
        raise UnreadableError("holds a number of absurd length; refused")
    return int.from_bytes(data, "little", signed=True)


def _written_number(text: str) -> int | bool:
    if len(text) > 2 * MAX_NUMBER_BYTES:
        raise UnreadableError("holds a number of absurd length; refused")
    return {"00": False, "01": True}[text] if text in ("00", "01") else int(text.rstrip("L"))


def _written_text(text: str) -> str:
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "'\"" or "\\" in text:
        raise ValueError
    return text[1:-1]


def _remember(machine: Machine, key: int) -> None:
    if not 0 <= key < 2**32:
        raise ValueError
    machine.memo[key] = machine.stack[-1]


def _pushes(make: Callable[[Machine], Any]) -> Callable[[Machine], None]:
    return lambda machine: machine.push(make(machine))


def _number(form: str) -> Callable[[Machine], None]:
    return _pushes(lambda machine: machine.number(form))


def _text(form: str, encoding: str) -> Callable[[Machine], None]:
    return _pushes(
        lambda machine: str(machine.read(machine.number(form)), encoding, "surrogatepass")
    )


def _raw(form: str) -> Callable[[Machine], None]:
    return _pushes(lambda machine: bytes(machine.read(machine.number(form))))


# Python 2 wrote bytes as text, which "latin1" preserves.
INSTRUCTIONS: dict[int, Callable[[Machine], None]] = {
    ord(code): instruction
    for code, instruction in {
        "\x80": lambda machine: machine.number("<B"),  # protocol
        "\x95": lambda machine: machine.number("<Q"),  # frame
        "N": _pushes(lambda _: None),
        "\x88": _pushes(lambda _: True),
        "\x89": _pushes(lambda _: False),
        "I": _pushes(lambda machine: _written_number(machine.line())),
        "L": _pushes(lambda machine: _written_number(machine.line())),
        "F": _pushes(lambda machine: float(machine.line())),
        "K": _number("<B"),
        "M": _number("<H"),
        "J": _number("<i"),
        "G": _number(">d"),
        "\x8a": _pushes(lambda machine: _whole_number(machine.read(machine.number("<B")))),
        "\x8b": _pushes(lambda machine: _whole_number(machine.read(machine.number("<i")))),
        "S": _pushes(lambda machine: _written_text(machine.line())),
        "V": _pushes(lambda machine: machine.line()),
        "U": _text("<B", "latin1"),
        "T": _text("<i", "latin1"),
        "X": _text("<I", "utf-8"),
        "\x8c": _text("<B", "utf-8"),
        "\x8d": _text("<Q", "utf-8"),
        "C": _raw("<B"),
        "B": _raw("<I"),
        "\x8e": _raw("<Q"),
        "\x96": _raw("<Q"),
        ")": _pushes(lambda _: ()),
        "]": _pushes(lambda _: []),
        "}": _pushes(lambda _: {}),
        "\x8f": _pushes(lambda _: []),  # a set
        "(": _mark,
        "0": _pop,
        "1": lambda machine: machine.since_mark(),
        "2": _pushes(lambda machine: machine.stack[-1]),
        "t": _pushes(lambda machine: tuple(machine.since_mark())),
        "\x85": _tuple_of(1),
        "\x86": _tuple_of(2),
        "\x87": _tuple_of(3),
        "l": _pushes(lambda machine: machine.since_mark()),
        "\x91": _pushes(lambda machine: machine.since_mark()),  # a frozen set
        "d": _new_dict,
        "a": _append_item,
        "e": _append_items,
        "\x90": _append_items,
        "s": _set_item,
        "u": _set_items,
        "p": lambda machine: _remember(machine, _written_number(machine.line())),
        "q": lambda machine: _remember(machine, machine.number("<B")),
        "r": lambda machine: _remember(machine, machine.number("<I")),
        "\x94": lambda machine: _remember(machine, len(machine.memo)),
        "g": _pushes(lambda machine: machine.memo[_written_number(machine.line())]),
        "h": _pushes(lambda machine: machine.memo[machine.number("<B")]),
        "j": _pushes(lambda machine: machine.memo[machine.number("<I")]),
        "c": _pushes(lambda machine: machine.name(machine.line(), machine.line())),
        "\x93": _stack_name,
        "R": _reduce,
        "\x81": _reduce,  # a new object
        "\x92": _reduce_with_keywords,
        "i": _instance,
        "o": _object,
        "b": _build,
        "Q": _pushes(lambda machine: machine.persistent(machine.stack.pop())),
    }.items()
}


def _set_all(target: Any, items: list[Any]) -> None:
    if not isinstance(target, dict) or len(items) % 2:
        raise ValueError
    for key, value in zip(items[::2], items[1::2], strict=True):
        set_item(target, key, value)


def _append_all(target: Any, items: list[Any]) -> None:
    if not isinstance(target, list):
        raise ValueError
    target.extend(items)
