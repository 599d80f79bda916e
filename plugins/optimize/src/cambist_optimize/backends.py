"""Where chunks of combinations are played: here, in threads, in processes by joblib, on a cluster of Dask or Ray."""

from __future__ import annotations

import itertools
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from cambist.api import ConfigError, MissingDependencyError, ParameterError, did_you_mean
from cambist_optimize.evaluation import Evaluator, Job, Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist import Bars

__all__ = ["BACKENDS", "Asked", "backend_of"]

#: Number, fold and parameters of combinations.
Asked: TypeAlias = Sequence[tuple[int, int, Mapping[str, Any]]]
#: Plays numbered chunks, and yields the number and the rows of each as it is done.
_Play: TypeAlias = Callable[[Mapping[int, Asked]], Iterator[tuple[int, list[Row]]]]
#: Plays chunks and yields their rows, in whatever order they come.
Backend: TypeAlias = Callable[[Evaluator, Sequence[Asked], int], Iterator[list[Row]]]

#: What plays: ``serial`` and ``threads`` in this process, the rest in others.
BACKENDS = ("auto", "serial", "threads", "loky", "dask", "ray")
#: How often chunks are sent again whose worker was lost; then their combinations go one by one, and fail one by one.
_ATTEMPTS = 3


def backend_of(said: str, evaluator: Evaluator, jobs: int) -> Backend:
    """Return the back end that a name, or the address of a cluster, means.

    Parameters
    ----------
    said
        One of `BACKENDS`, or ``dask:tcp://host:8786``, ``ray:ray://host:10001``. ``auto``: threads for what is
        compiled, else processes, and neither for one job.

    Raises
    ------
    ParameterError
        For a name that there is not.
    """
    kind, _, address = said.partition(":")
    if kind not in BACKENDS or (address and kind not in {"dask", "ray"}):
        raise ParameterError(f"there is no back end {said!r}.{did_you_mean(kind, BACKENDS)}")
    if kind == "auto":
        kind = "serial" if jobs == 1 else "loky" if evaluator.why_engine else "threads"
    if kind == "serial":
        return _serial
    if kind == "threads":
        return _threads
    return _Processes(kind, address)


def _serial(evaluator: Evaluator, chunks: Sequence[Asked], _jobs: int) -> Iterator[list[Row]]:
    for chunk in chunks:
        yield evaluator.chunk(chunk)


def _threads(evaluator: Evaluator, chunks: Sequence[Asked], jobs: int) -> Iterator[list[Row]]:
    """Play chunks side by side in this process: compiled code holds no lock."""
    waiting = iter(chunks)
    with ThreadPoolExecutor(jobs, thread_name_prefix="optimize") as pool:
        running: set[Future[list[Row]]] = set()
        try:
            for chunk in waiting:
                running.add(pool.submit(evaluator.chunk, chunk))
                if len(running) >= 2 * jobs:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (one.result() for one in done)
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@attrs.frozen(eq=False)
class Parcel:
    """A job as it travels: code as bytes, columns as arrays, which joblib maps into memory instead of copying them.

    Attributes
    ----------
    key
        By which a worker knows a job that it has unpacked before.
    code
        Everything but the columns, by cloudpickle: classes of scripts and files travel by value.
    columns
        Open times and prices of each instrument.
    """

    key: str
    code: bytes
    columns: tuple[tuple[NDArray[Any], ...], ...]

    @classmethod
    def of(cls, job: Job) -> Parcel:
        """Pack a job."""
        import cloudpickle

        module = sys.modules.get(job.strategy.__module__)
        by_value = module is not None and (module.__name__.startswith("cambist_user_") or _is_script(module))
        about = [(bars.instrument, bars.timeframe) for bars in job.bars]
        if by_value:
            cloudpickle.register_pickle_by_value(module)
        try:
            code = cloudpickle.dumps((attrs.evolve(job, bars=()), about))
        finally:
            if by_value:
                cloudpickle.unregister_pickle_by_value(module)
        columns = tuple((bars.ts, *bars.columns.values()) for bars in job.bars)
        return cls(uuid.uuid4().hex, code, columns)

    def unpacked(self) -> Evaluator:
        """Return what plays the job, made once in a process."""
        known = _unpacked.get(self.key)
        if known is None:
            import pickle

            from cambist import Bars

            job, about = pickle.loads(self.code)  # noqa: S301 - our own bytes
            bars: tuple[Bars, ...] = tuple(
                Bars(*one, *columns) for one, columns in zip(about, self.columns, strict=True)
            )
            _unpacked.clear()  # a worker serves one sweep at a time; the columns of the last one can go
            known = _unpacked[self.key] = Evaluator(attrs.evolve(job, bars=bars))
        return known


_unpacked: dict[str, Evaluator] = {}


def _is_script(module: Any) -> bool:
    """Tell whether a module is of a file that a worker might not find: a script, a test, a notebook."""
    file = getattr(module, "__file__", None)
    return file is None or "site-packages" not in str(file)


def play_chunk(parcel: Parcel, chunk: Asked) -> list[Row]:
    """Play a chunk in a worker."""
    return parcel.unpacked().chunk(chunk)


@attrs.frozen(eq=False)
class _Processes:
    """Plays chunks in other processes; those whose worker was lost go again, and at last one by one."""

    kind: str
    address: str

    def __call__(self, evaluator: Evaluator, chunks: Sequence[Asked], jobs: int) -> Iterator[list[Row]]:
        with _cluster(self.kind, self.address, jobs, Parcel.of(evaluator.job)) as play:
            left = {at: list(chunk) for at, chunk in enumerate(chunks)}
            for attempt in range(_ATTEMPTS):
                if attempt:  # a combination that ends its worker takes the fewest others with it
                    pieces = [[one] for chunk in left.values() for one in chunk]
                    left = dict(enumerate(pieces))
                lost: BaseException | None = None
                try:
                    for at, rows in play(left):
                        del left[at]
                        yield rows
                except Exception as error:
                    if not _is_loss(error):
                        raise
                    lost = error
                if not left or lost is None:
                    break
            for chunk in left.values():
                # Each by itself: whichever ends its worker fails alone.
                for one in chunk:
                    yield _alone(play, one)


def _by_joblib(parcel: Parcel, jobs: int, options: Mapping[str, Any]) -> _Play:
    """Return what plays chunks through a back end of joblib."""
    from joblib import Parallel, delayed, parallel_config

    config = {**options, "scatter": [parcel]} if "scatter" in options else options

    def play(chunks: Mapping[int, Asked]) -> Iterator[tuple[int, list[Row]]]:
        # One worker would be this process, which a combination that is played by itself may end.
        with parallel_config(n_jobs=jobs if len(chunks) > 1 else max(jobs, 2), **config):
            work = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="3*n_jobs")
            yield from work(delayed(_numbered)(at, parcel, chunk) for at, chunk in list(chunks.items()))

    return play


def _by_ray(parcel: Parcel, jobs: int) -> _Play:
    """Return what plays chunks as tasks of Ray, whose back end for joblib gives nothing back before the end."""
    import ray

    shared = ray.put(parcel)
    task = ray.remote(max_retries=0)(_numbered)

    def play(chunks: Mapping[int, Asked]) -> Iterator[tuple[int, list[Row]]]:
        waiting = iter(list(chunks.items()))
        running: list[Any] = []
        while True:
            for at, chunk in itertools.islice(waiting, max(0, 3 * jobs - len(running))):
                running.append(task.remote(at, shared, chunk))
            if not running:
                return
            done, running = ray.wait(running)
            for one in done:
                yield ray.get(one)

    return play


def _numbered(at: int, parcel: Parcel, chunk: Asked) -> tuple[int, list[Row]]:
    return at, play_chunk(parcel, chunk)


def _alone(play: _Play, one: tuple[int, int, Mapping[str, Any]]) -> list[Row]:
    """Play one combination by itself; the loss of its worker is its error."""
    try:
        ((_, rows),) = play({0: [one]})
    except Exception as error:
        if not _is_loss(error):
            raise
        number, fold, parameters = one
        return [
            Row(number, fold, parameters, {}, f"WorkerLost: the process that played it ended: {_first_line(error)}")
        ]
    return rows


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _is_loss(error: BaseException) -> bool:
    """Tell whether an error says that a worker is gone."""
    names = {cls.__name__ for cls in type(error).__mro__}
    return not names.isdisjoint({"TerminatedWorkerError", "BrokenProcessPool", "KilledWorker", "WorkerCrashedError"})


@contextmanager
def _cluster(kind: str, address: str, jobs: int, parcel: Parcel) -> Iterator[_Play]:
    """Connect to what plays, and yield how."""
    if kind == "dask":
        with _dask(address, jobs):
            yield _by_joblib(parcel, jobs, {"backend": "dask", "scatter": ()})
    elif kind == "ray":
        with _ray(address, jobs):
            yield _by_ray(parcel, jobs)
    else:
        yield _by_joblib(parcel, jobs, {"backend": "loky", "max_nbytes": "100K", "mmap_mode": "r"})


@contextmanager
def _dask(address: str, jobs: int) -> Iterator[None]:
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise MissingDependencyError(
            "the back end dask needs distributed: pip install 'cambist-optimize[dask]'."
        ) from None
    if address:
        try:
            client = Client(address, timeout=_PATIENCE)
        except (OSError, TimeoutError) as error:
            raise _unanswered("dask", address, error) from None
        with client:
            yield
        return
    with (
        LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster,
        Client(cluster),
    ):
        yield


@contextmanager
def _ray(address: str, jobs: int) -> Iterator[None]:
    try:
        import ray
    except ImportError:
        raise MissingDependencyError("the back end ray needs ray: pip install 'cambist-optimize[ray]'.") from None
    if not ray.is_initialized():
        try:
            ray.init(
                **({"address": address} if address else {"num_cpus": jobs, "include_dashboard": False}),
                log_to_driver=False,
                configure_logging=False,
            )
        except (OSError, TimeoutError, RuntimeError) as error:
            raise _unanswered("ray", address, error) from None
        own = True
    else:
        own = False
    try:
        yield
    finally:
        if own:
            ray.shutdown()


#: How long a cluster may take to answer, seconds.
_PATIENCE = float(os.environ.get("CAMBIST_CLUSTER_TIMEOUT", "10"))


def _unanswered(kind: str, address: str, error: BaseException) -> ConfigError:
    return ConfigError(
        f"the {kind} cluster at {address or 'this machine'} does not answer ({_first_line(error)}). Check the address, "
        f"and that its scheduler runs; backend={kind!r} without an address starts one here."
    )
