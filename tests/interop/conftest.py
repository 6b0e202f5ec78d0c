from pathlib import Path

import pytest
import zephyr


def pytest_addoption(parser):
    parser.addoption(
        "--smpclient-checkout", metavar="DIR", help="a checkout of smpclient's repository, for its servers"
    )
    parser.addoption("--record", action="store_true", help="write the exchanges with those servers to recordings/")


def pytest_generate_tests(metafunc):
    """`server` is each of the servers that a test is for (`among`)."""
    if "server" not in metafunc.fixturenames:
        return
    checkout = metafunc.config.getoption("--smpclient-checkout", default=None)
    if checkout is None:
        missing = pytest.mark.skip(reason="needs --smpclient-checkout DIR")
        metafunc.parametrize("server", [pytest.param(None, marks=missing, id="none")])
        return
    fits = getattr(metafunc.function, "fits", lambda _server: True)
    metafunc.parametrize(
        "server",
        [
            pytest.param(
                each, id=each.id, marks=[pytest.mark.skip(reason=why)] if (why := each.unavailable_reason()) else []
            )
            for each in zephyr.load(Path(checkout)).FIXTURES
            if fits(each)
        ],
    )


@pytest.fixture
def servers(request):
    return zephyr.load(Path(request.config.getoption("--smpclient-checkout")))
