"""A real SLURM of one host, for as long as a test needs it: munge, controller and daemon."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
_CONF = """\
ClusterName=test
SlurmctldHost={host}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
SlurmctldPort={controller}
SlurmdPort={daemon}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobRequeue=1
KillWait=2
MinJobAge=10
NodeName={host} CPUs=2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Return why SLURM cannot run here; empty where it can."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"no SLURM here ({', '.join(missing)}): apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "SLURM's daemons are started as root"


class SlurmHost:
    """The daemons; use it as a context manager.

    Args:
        folder: for configuration, logs and state; other users must be able to reach it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> SlurmHost:
        """Start, and wait until a job would run."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        self._start_munge()
        conf = _CONF.format(
            host=socket.gethostname(),
            folder=self.folder,
            controller=_free_port(),
            daemon=_free_port(),
        )
        (self.folder / "slurm.conf").write_text(conf)
        environment = {**os.environ, **self.environment}
        for program in ("slurmctld", "slurmd"):
            self._daemons.append(
                subprocess.Popen([program, "-D"], env=environment, **_quiet(self.folder, program))
            )
        self._wait(environment)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the daemons, the jobs with them."""
        environment = {**os.environ, **self.environment}
        subprocess.run(["scancel", "--user=root"], env=environment, capture_output=True, timeout=20)
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()

    def _start_munge(self) -> None:
        """As the user munge, with a key of its own: nothing of the system's is touched."""
        home = self.folder / "munge"
        home.mkdir()
        (home / "key").write_bytes(os.urandom(128))
        (home / "key").chmod(0o400)
        for path in (home, home / "key"):
            shutil.chown(path, "munge", "munge")
        home.chmod(0o700)
        command = [
            "munged",
            "--foreground",
            "--force",
            f"--key-file={home}/key",
            f"--socket={self.folder}/munge.socket",
            f"--pid-file={home}/pid",
            f"--log-file={home}/log",
            f"--seed-file={home}/seed",
        ]
        self._daemons.append(
            subprocess.Popen(command, user="munge", group="munge", **_quiet(self.folder, "munged"))
        )
        # The socket lies in a folder that munge may write.
        self._until(lambda: (self.folder / "munge.socket").exists(), "munged")

    def _wait(self, environment: dict[str, str]) -> None:
        def is_idle() -> bool:
            command = ["sinfo", "--noheader", "--format=%T"]
            answer = subprocess.run(command, env=environment, capture_output=True, text=True)
            return answer.stdout.strip() in ("idle", "mixed", "allocated")

        self._until(is_idle, "slurmctld and slurmd")

    def _until(self, is_there, what: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not is_there():
            if time.monotonic() > deadline:
                logs = "\n".join(p.read_text()[-800:] for p in sorted(self.folder.glob("*.log")))
                raise RuntimeError(f"{what} did not come up in {seconds:.0f} s\n{logs}")
            time.sleep(0.1)


def _quiet(folder: Path, program: str) -> dict[str, object]:
    out = (folder / f"{program}.out.log").open("wb")
    return {"stdout": out, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
