"""How a kernel function is compiled: cached on disk, and a division by zero gives infinity instead of raising.

A product and a sum may be fused into one rounding (a tenth of the time of a session). Bits are therefore the same on
machines with the same instruction set; nothing is reordered, and no other freedom is given (decision 9).

Numba makes machine code of every function, and again of all it calls inside each caller. Here only an entry, which
Python calls, becomes machine code: parts hand over their typed form, and an entry is optimised once, as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NativeLowering

_F = TypeVar("_F", bound=Callable[..., Any])
_OPTIONS: Any = {"nopython": True, "boundscheck": None, "error_model": "numpy", "fastmath": {"contract"}}


class _Text(JITCodeLibrary):
    """The code of one part as an entry links it; never optimised or run on its own."""

    def finalize(self) -> None:
        self._finalized = True


class _Whole(JITCodeLibrary):
    """The code of an entry with all that it calls; a caller comes before what it calls, or the linker drops that."""

    def finalize(self) -> None:
        done: dict[Any, None] = {}

        def visit(library: Any) -> None:
            for other in library._linking_libraries:  # noqa: SLF001 - numba has no public name for it
                if other not in done:
                    visit(other)
            done[library] = None

        visit(self)
        self._linking_libraries = [library for library in reversed(done) if library is not self]
        super().finalize()


@register_pass(mutates_CFG=True, analysis_only=False)
class _Handover(NativeLowering):
    """Lowers a part and registers it with callers, without an address."""

    _name = "handover"

    def run_pass(self, state: Any) -> bool:
        state.library = _Text(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        state.cr = state.cr._replace(cfunc=object())
        state.targetctx.insert_user_function(state.cr.cfunc, state.cr.fndesc, [state.library])
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _Assembly(NativeLowering):
    """Lowers an entry and makes machine code of it and all its parts."""

    _name = "assembly"

    def run_pass(self, state: Any) -> bool:
        state.library = _Whole(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return bool(super().run_pass(state))


class _Pipeline(CompilerBase):
    """Numba's own, with another last step."""

    lowering: Any = _Assembly

    def define_pipelines(self) -> list[Any]:
        self.state.flags.no_cfunc_wrapper = True
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [(self.lowering if p is NativeLowering else p, why) for p, why in passes.passes]
        passes.finalize()
        return [passes]


class _Unfinished(_Pipeline):
    """The same for a part."""

    lowering = _Handover

    def define_pipelines(self) -> list[Any]:
        self.state.flags.no_cpython_wrapper = True
        return super().define_pipelines()


class _Part(CPUDispatcher):
    """A function that kernels call. Python may call it too: it is then compiled once more, as an entry."""

    def __init__(self, function: Callable[..., Any], options: Any) -> None:
        super().__init__(function, {}, options, _Unfinished)
        self._entry: CPUDispatcher | None = None

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """One version for all constants of a type: a literal 0 and a literal 1 would be compiled apart."""
        plain = {name: types.unliteral(kind) for name, kind in dict(kws).items()}
        return super().get_call_template(tuple(types.unliteral(kind) for kind in args), plain)

    def add_overload(self, cres: Any) -> None:
        """Notes a version for callers; there is nothing that Python could run."""
        self.overloads[tuple(cres.signature.args)] = cres

    def __call__(self, *args: Any, **kws: Any) -> Any:
        self._entry = self._entry or _entry(self.py_func, self.targetoptions)
        return self._entry(*args, **kws)


def _entry(function: Callable[..., Any], options: Any) -> Any:
    entry = CPUDispatcher(function, {}, options, _Pipeline)
    entry.enable_caching()
    return entry


def compiled(function: _F) -> _F:
    """A part: a function that other kernel functions call."""
    return cast("_F", _Part(function, _OPTIONS))


def woven(function: _F) -> _F:
    """A part called from one hot place: no records passed through memory."""
    return cast("_F", _Part(function, {**_OPTIONS, "forceinline": True}))


def unlocked(function: _F) -> _F:
    """An entry that leaves the interpreter lock, for plain threads."""
    return cast("_F", _entry(function, {**_OPTIONS, "nogil": True}))
