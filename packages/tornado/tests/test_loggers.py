import itertools
import logging
import logging.config
from collections.abc import Callable, Iterator

import pytest

from zonda.tornado import loggers

Script = Callable[[str], str]

_count = itertools.count()


class Keep(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.names.append(record.name)


@pytest.fixture
def pair() -> Iterator[tuple[str, str]]:
    """Two fresh logger names, old and new; the renaming is undone afterwards."""
    number = next(_count)
    yield f"old{number}.access", f"new{number}.access"
    loggers.restore()


Pair = tuple[str, str]


def test_records_carry_the_new_name_and_reach_its_parent(pair: Pair) -> None:
    old, new = pair
    logger = logging.getLogger(old)
    handler, above, ignored = Keep(), Keep(), Keep()
    logging.getLogger(old.partition(".")[0]).addHandler(ignored)
    loggers.rename({old: new})
    logging.getLogger(new).addHandler(handler)
    logging.getLogger(new.partition(".")[0]).addHandler(above)
    logging.getLogger(new).setLevel(logging.INFO)
    logger.info("x")
    assert (handler.names, above.names, ignored.names) == ([new], [new], [])
    assert logging.getLogger(new) is logger is logging.getLogger(old)


def test_a_parent_made_before_is_found_too(pair: Pair) -> None:
    old, new = pair
    above = Keep()
    parent = logging.getLogger(new.partition(".")[0])
    parent.addHandler(above)
    parent.setLevel(logging.DEBUG)
    loggers.rename({old: new})
    logging.getLogger(old).debug("x")
    assert above.names == [new]


def test_configuration_of_either_name_is_kept(pair: Pair) -> None:
    old, new = pair
    theirs, ours = Keep(), Keep()
    logging.getLogger(new).addHandler(theirs)
    logging.getLogger(new).setLevel(logging.ERROR)
    logging.getLogger(new).addFilter(lambda record: record.getMessage() != "secret")
    logging.getLogger(new).propagate = False
    logging.getLogger(old).addHandler(ours)
    logging.getLogger(old).setLevel(logging.DEBUG)
    loggers.rename({old: new})
    logger = logging.getLogger(old)
    logger.warning("below the level set under the new name")
    logger.error("secret")
    logger.error("x")
    assert theirs.names == ours.names == [new]


def test_a_level_of_the_old_name_stays_when_the_new_one_has_none(pair: Pair) -> None:
    old, new = pair
    logging.getLogger(new)
    logging.getLogger(old).setLevel(logging.ERROR)
    loggers.rename({old: new})
    assert logging.getLogger(new).level == logging.ERROR


def test_a_logger_object_held_from_before_still_configures(pair: Pair) -> None:
    old, new = pair
    held = logging.getLogger(new)
    loggers.rename({old: new})
    handler = Keep()
    held.addHandler(handler)
    held.setLevel(logging.INFO)
    logging.getLogger(old).info("x")
    held.info("y")
    assert handler.names == [new, new]


def test_children_of_the_new_name_propagate_to_the_renamed_logger(pair: Pair) -> None:
    old, new = pair
    logging.getLogger(new)
    before = logging.getLogger(f"{new}.early")
    deeper = logging.getLogger(f"{new}.early.deep")
    handler = Keep()
    loggers.rename({old: new})
    logging.getLogger(new).addHandler(handler)
    logging.getLogger(new).setLevel(logging.INFO)
    for logger in (before, deeper, logging.getLogger(f"{new}.late")):
        logger.info("x")
    assert len(handler.names) == 3
    assert deeper.parent is before


def test_cached_levels_are_forgotten(pair: Pair) -> None:
    old, new = pair
    logger = logging.getLogger(old)
    assert not logger.isEnabledFor(logging.INFO)
    logging.getLogger(new.partition(".")[0]).setLevel(logging.INFO)
    loggers.rename({old: new})
    assert logger.isEnabledFor(logging.INFO)


def test_dict_config_does_not_disable_what_it_configures(pair: Pair) -> None:
    old, new = pair
    logger = logging.getLogger(old)
    loggers.rename({old: new})
    existing = {
        name: one.disabled
        for name, one in logging.root.manager.loggerDict.items()
        if isinstance(one, logging.Logger)
    }
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": True,
                "loggers": {new.partition(".")[0]: {"level": "INFO"}},
            }
        )
        assert not logger.disabled
        assert logger.isEnabledFor(logging.INFO)
        assert old not in logging.root.manager.loggerDict
    finally:
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        for name, disabled in existing.items():
            logging.getLogger(name).disabled = disabled


def test_the_old_parent_does_not_take_it_back(pair: Pair) -> None:
    old, new = pair
    logger = logging.getLogger(old)
    loggers.rename({old: new})
    wrong = Keep()
    logging.getLogger(old.partition(".")[0]).addHandler(wrong)
    logger.setLevel(logging.INFO)
    logger.info("x")
    assert wrong.names == []


def test_restore(pair: Pair) -> None:
    old, new = pair
    logger = logging.getLogger(old)
    held = logging.getLogger(new)
    held.setLevel(logging.ERROR)
    child = logging.getLogger(f"{new}.child")
    loggers.rename({old: new})
    loggers.restore()
    assert logging.getLogger(old) is logger
    assert logger.name == old
    assert logging.getLogger(new) is held
    assert held.name == new
    assert held.level == logging.ERROR
    assert child.parent is held
    above, other = Keep(), Keep()
    logging.getLogger(old.partition(".")[0]).addHandler(above)
    logging.getLogger(new.partition(".")[0]).addHandler(other)
    logger.setLevel(logging.INFO)
    held.setLevel(logging.INFO)
    logger.info("x")
    held.info("y")
    assert (above.names, other.names) == ([old], [new])
    assert "getLogger" not in vars(logging.Logger.manager)


def test_zondas_records_arrive_under_tornados_names(script: Script) -> None:
    script(
        """
        import logging
        assert logging.getLogger("tornado.access") is logging.getLogger("zonda.access")
        import tornado.log, zonda.ioloop.log
        for name in ("access", "application", "general"):
            short = {"access": "access", "application": "app", "general": "gen"}[name]
            logger = getattr(zonda.ioloop.log, short + "_log")
            assert logger is getattr(tornado.log, short + "_log")
            assert logger is logging.getLogger("tornado." + name)
            assert logger.name == "tornado." + name
            assert logging.getLogger("tornado").getChild(name) is logger
            assert logger.parent is logging.getLogger("tornado")
        zonda.tornado.uninstall()
        assert zonda.ioloop.log.access_log.name == "zonda.access"
        assert logging.getLogger("tornado.access") is not zonda.ioloop.log.access_log
        """
    )
