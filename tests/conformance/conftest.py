import pytest


def pytest_addoption(parser):
    parser.addoption("--bleak-checkout", metavar="DIR", help="a checkout of bleak's repository, for its own tests")


@pytest.fixture(scope="session")
def bleak_checkout(request):
    return request.config.getoption("--bleak-checkout", default=None)
