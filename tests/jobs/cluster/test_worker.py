import logging

from msdm_cli import __version__
from msdm_cli.errors import ResultsExist
from msdm_cli.jobs.cluster.worker import LOG, Worker


def test_a_worker_tells_what_the_library_says():
    def work(name, request):
        logging.getLogger("msdm_cli.jobs").info("%s would clip", name)
        if request is None:
            raise ResultsExist("what", "remedy")
        return name

    before = list(LOG.handlers)
    try:
        worker = Worker(work)
        assert worker.introduce()[0] == __version__
        ended, messages = worker.run("a", 1)
        assert (ended.result, messages) == ("a", ["a would clip"])
        ended, messages = worker.run("b", None)
        assert isinstance(ended.result, ResultsExist)
        assert messages == ["b would clip"]
    finally:
        LOG.handlers[:] = before
