"""An interface whose constructor makes whichever implementation is configured.

In: ``configure()`` with a class or its dotted name, then an ordinary call of the interface.
Out: an instance of the implementation, set up by ``initialize``. Raises ``ValueError`` when the
implementation is not a subclass, ``ImportError`` when its name cannot be imported.
"""

from typing import Any, Self, cast

from zonda.ioloop.util.importing import import_object


class Configurable:
    """Base class of interfaces that can be switched to another implementation at run time.

    Calling the interface makes an instance of the class given to `configure`, or of
    `configurable_default`. Calling an implementation directly makes that very class, without the
    keyword arguments that were given to `configure`.

    Subclasses write `initialize` instead of ``__init__``. An interface overrides
    `configurable_base` and `configurable_default`. Instances pickle and copy like others; the
    copy is made with ``initialize()`` called without arguments, then given the state.

    Example:
        >>> class Resolver(Configurable):
        ...     @classmethod
        ...     def configurable_base(cls): return Resolver
        ...     @classmethod
        ...     def configurable_default(cls): return Blocking
        >>> class Blocking(Resolver):
        ...     pass
        >>> class Threaded(Resolver):
        ...     def initialize(self, threads=1): self.threads = threads
        >>> type(Resolver()).__name__
        'Blocking'
        >>> Resolver.configure(Threaded, threads=4)
        >>> Resolver().threads, Resolver(threads=9).threads, Threaded().threads
        (4, 9, 1)
        >>> Resolver.configure(None)
    """

    __impl_class: "type[Configurable] | None" = None
    __impl_kwargs: "dict[str, Any] | None" = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make and initialise an instance of the configured class."""
        base = cls.configurable_base()
        impl: type[Configurable] = cls
        if cls is base:
            impl = cls.configured_class()
            if base.__impl_kwargs:
                kwargs = {**base.__impl_kwargs, **kwargs}
            if impl.configurable_base() is not base:
                # The implementation is an interface with implementations of its own.
                return cast(Self, impl(*args, **kwargs))
        instance = cast(Self, object.__new__(impl))
        instance.initialize(*args, **kwargs)
        return instance

    @classmethod
    def configurable_base(cls) -> "type[Configurable]":
        """The interface: the class whose call is redirected. Usually returns that very class."""
        raise NotImplementedError(f"{cls.__name__} does not override configurable_base()")

    @classmethod
    def configurable_default(cls) -> "type[Configurable]":
        """The implementation to use where none was configured."""
        raise NotImplementedError(f"{cls.__name__} does not override configurable_default()")

    def _initialize(self) -> None:
        """Set the instance up; the arguments are those of the call that made it."""

    # Any: each implementation has arguments of its own, as constructors do.
    initialize: Any = _initialize

    @classmethod
    def configure(cls, impl: "str | type[Configurable] | None", **kwargs: Any) -> None:
        """Choose the class that calls of the interface make from now on.

        Args:
            impl: a subclass, its dotted name, or None for the default.
            **kwargs: passed to each instance's ``initialize`` unless the caller overrides them.

        Raises:
            ValueError: ``impl`` is not a subclass of the interface.
            ImportError: there is nothing under that name.
        """
        base = cls.configurable_base()
        chosen = import_object(impl) if isinstance(impl, str) else impl
        if chosen is not None:
            if not isinstance(chosen, type):
                raise TypeError(f"{chosen!r} is not a class")
            if not issubclass(chosen, cls):
                raise ValueError(f"{chosen!r} is not a subclass of {cls!r}")
        base.__impl_class = chosen
        base.__impl_kwargs = kwargs

    @classmethod
    def configured_class(cls) -> "type[Configurable]":
        """The class that a call of the interface makes."""
        base = cls.configurable_base()
        # Looked up in the interface's own namespace: an implementation that is an interface
        # itself would otherwise inherit the outer one's choice.
        chosen = cast("type[Configurable] | None", base.__dict__.get("_Configurable__impl_class"))
        if chosen is None:
            chosen = base.__impl_class = cls.configurable_default()
            if chosen is None:
                raise ValueError(f"{base.__name__} has neither a configured nor a default class")
        return chosen

    @classmethod
    def _save_configuration(cls) -> "tuple[type[Configurable] | None, dict[str, Any] | None]":
        """What ``_restore_configuration`` needs to bring the present choice back (for tests)."""
        base = cls.configurable_base()
        return base.__impl_class, base.__impl_kwargs

    @classmethod
    def _restore_configuration(
        cls, saved: "tuple[type[Configurable] | None, dict[str, Any] | None]"
    ) -> None:
        base = cls.configurable_base()
        base.__impl_class, base.__impl_kwargs = saved
