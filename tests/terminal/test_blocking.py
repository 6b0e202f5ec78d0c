"""Blocking verbs on a notebook's own loop: nest-asyncio behind one seam."""

import sys
import threading

import nbformat
import pytest
from nbclient import NotebookClient
from stage import stage, virtual

from terminal_kit.errors import InvalidParameterError, TerminalError
from terminal_kit.memory import Memory
from terminal_kit.session import Session
from terminal_kit.terminal.blocking import Blocking, on_kernel_loop

CELLS = (
    (
        "from terminal_kit import Air, Terminal, shop, simulated_radio\n"
        "import sys\n"
        "shop(air := Air(seed=3))\n"
        "terminal = Terminal(simulated_radio(air))\n"
        "assert 'nest_asyncio' not in sys.modules"
    ),
    (
        "readers = terminal.blocking.discover_readers(timeout_s=1)\n"
        "reader = terminal.blocking.connect_reader(readers[0], 'tml_front_desk')\n"
        "assert terminal.connected_reader == reader"
    ),
    "import asyncio\nawait asyncio.sleep(0.01)\nassert terminal.status == 'connected'",
    "terminal.blocking.close()\nterminal.blocking.close()\nair.close()",
)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_in_a_notebook_without_a_session() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()


def test_in_a_script_it_says_what_to_use() -> None:
    with pytest.raises(TerminalError) as caught:
        on_kernel_loop(lambda: None)
    assert "Session" in caught.value.hint


def test_never_in_another_thread() -> None:
    found: list[BaseException] = []

    def work() -> None:
        try:
            on_kernel_loop(lambda: None)
        except TerminalError as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(found) == 1


@virtual
async def test_never_on_a_simulated_clock() -> None:
    """It would replace the loop's inner step."""
    async with stage() as on:
        with pytest.raises(TerminalError):
            on.terminal.blocking.discover_readers(timeout_s=1)
    assert "nest_asyncio" not in sys.modules


def test_what_is_no_verb_passes_through() -> None:
    class Thing:
        size = 3

    assert Blocking(Thing(), None).size == 3
    assert "size" in dir(Blocking(Thing(), None))


def test_what_would_never_return_is_refused_and_what_is_set_is_set() -> None:
    with Session(memory=Memory()) as session:
        blocking = session.terminal.blocking
        for call in (
            blocking.discover_readers,
            lambda: blocking.discover_readers(timeout_s=0),
            lambda: blocking.discover_readers(None),
        ):
            with pytest.raises(InvalidParameterError):
                call()
        with pytest.raises(TerminalError, match="no end"):
            blocking.monitor()
        blocking.auto_reconnect = False
        assert session.terminal.auto_reconnect is False
        assert [place.id for place in blocking.list_locations()][:1] == ["tml_front_desk"]
