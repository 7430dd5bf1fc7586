"""A toy in the place of Ray: actors are objects, and die when a test says so."""

from types import SimpleNamespace

import pytest


class RayError(Exception):
    pass


class ToyRay:
    """A cluster of some machines, whose workers do what Ray's do.

    Args:
        cores: Of each machine.
    """

    exceptions = SimpleNamespace(RayError=RayError)

    def __init__(self, *cores):
        self.machines = [
            {"Alive": True, "Resources": {"CPU": float(number)}} for number in cores or (2,)
        ]
        self.alive = []
        self.started = 0
        self.fails_to_start = False
        self.options = None
        self.kills = {}
        """How many workers a job will yet kill, by its name."""

    def is_initialized(self):
        return True

    def nodes(self):
        return self.machines

    def put(self, value):
        return value

    def remote(self, kind):
        def set_options(**options):
            self.options = options
            return SimpleNamespace(remote=lambda *arguments: self._start(kind(*arguments)))

        return SimpleNamespace(options=set_options)

    def wait(self, references, num_returns=1, timeout=None):
        return references[:num_returns], references[num_returns:]

    def get(self, reference):
        return reference()

    def kill(self, actor):
        if actor in self.alive:
            self.alive.remove(actor)

    def _start(self, worker):
        self.started += 1

        def introduce():
            if self.fails_to_start:
                self.kill(actor)
                raise RayError("no module msdm_cli")
            return worker.introduce()

        def run(name, request):
            if self.kills.get(name, 0) > 0:
                self.kills[name] -= 1
                self.kill(actor)
                raise RayError("The actor is dead because its node has died.")
            return worker.run(name, request)

        actor = SimpleNamespace(introduce=_remote(introduce), run=_remote(run))
        self.alive.append(actor)
        return actor


def _remote(method):
    """Calls of a method give references, each of which is a call that was not made yet."""

    def call(*arguments):
        return lambda: method(*arguments)

    return SimpleNamespace(remote=call)


@pytest.fixture
def toy_ray():
    return ToyRay()
