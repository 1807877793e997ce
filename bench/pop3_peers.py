"""The clients of the POP3 bench as processes: their configuration, what they have seen before, and what a run costs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pwd
    from collections.abc import Mapping, Sequence

WORKER: Final = Path(__file__).with_name("pop3_worker.py")
LIMIT_SECONDS: Final = 300
PASSWORD: Final = "bench"
PROCESSES: Final = 16


@dataclass(frozen=True)
class Job:
    """What a client is to do.

    Attributes:
        what: a mode of `pop3_worker.py`; the others need no word for it.
        seen: UIDs fetched before, in the server's order, by account.
    """

    what: str
    accounts: Sequence[str]
    port: int
    ca: Path
    seen: Mapping[str, Sequence[str]] = field(default_factory=dict)
    capabilities: Sequence[str] = ()


@dataclass
class Run:
    """What one run took; `work_wall` and `work_cpu` without start-up where the client can tell, else with it."""

    wall: float
    cpu: float
    peak_kib: int
    work_wall: float = 0
    work_cpu: float = 0
    written: int = 0
    idle_kib: int = 0
    octets_in: int = 0
    octets_out: int = 0
    waits: int = 0


def median(runs: Sequence[Run], name: str) -> float:
    """The median of one figure."""
    return float(statistics.median(getattr(run, name) for run in runs))


class Client:
    """A client and its private folder.

    Args:
        account: whom a client that refuses to be root runs as.
    """

    name = ""
    program = ""
    package = ""

    def __init__(self, folder: Path, job: Job, account: pwd.struct_passwd) -> None:
        self.folder = folder / self.name
        self.out = self.folder / "out"
        self.job = job
        self.account = account

    @classmethod
    def why_missing(cls) -> str | None:
        """Why it cannot run here; None when it can."""
        return (
            None if shutil.which(cls.program) else f"{cls.program} is not installed (Debian: {cls.package})"
        )

    def prepare(self) -> None:
        """A fresh folder: configuration, what was seen, no messages."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)
        self.out.touch()
        self.write()

    def write(self) -> None:
        """Configuration and what was seen."""
        raise NotImplementedError

    def argv(self) -> list[str | Path]:
        """The command."""
        raise NotImplementedError

    def note(self, run: Run, said: bytes) -> None:
        """What only this client tells."""
        del said
        run.work_wall, run.work_cpu = run.wall, run.cpu

    def private(self, name: str, text: str) -> Path:
        """A file only its owner may read."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path


class Ours(Client):
    """This repository's client."""

    name = "ours"
    program = sys.executable

    def write(self) -> None:
        """The job as JSON; of what was seen only what a mailbox remembers, but for the listing."""
        job = self.job
        tail = {account: (len(uids), uids[-1]) for account, uids in job.seen.items()}
        seen = {} if self.name == "ours" and job.what != "listing" else job.seen
        values: dict[str, Any] = {
            "accounts": job.accounts,
            "port": job.port,
            "ca": str(job.ca),
            "password": PASSWORD,
            "out": str(self.out),
            "tail": tail,
            "seen": seen,
            "capabilities": job.capabilities,
        }
        self.private("job.json", json.dumps(values))

    def argv(self) -> list[str | Path]:
        """The worker."""
        return [sys.executable, WORKER, self.name, self.job.what, self.folder / "job.json"]

    def note(self, run: Run, said: bytes) -> None:
        """Work without start-up, and memory before the messages came."""
        told = json.loads(said)
        run.work_wall, run.work_cpu, run.idle_kib = told["wall"], told["cpu"], told["idle_kib"]
        run.peak_kib = told["peak_kib"]


class Poplib(Ours):
    """The standard library's client."""

    name = "poplib"


class Drain(Ours):
    """No client: what the server alone needs."""

    name = "drain"


class Mpop(Client):
    """mpop: one process for all accounts in turn."""

    name = program = package = "mpop"

    def write(self) -> None:
        """One configuration; a list of UIDs for each account."""
        self.private("rc", self.defaults() + "".join(map(self.section, self.job.accounts)))
        self.write_uids()

    def argv(self) -> list[str | Path]:
        """One pass over all."""
        return ["mpop", "-q", "-C", self.folder / "rc", "-a"]

    def defaults(self) -> str:
        """What holds for all accounts."""
        return (
            f"defaults\ntls on\ntls_starttls off\ntls_trust_file {self.job.ca}\nreceived_header off\nkeep on\n"
            f"host localhost\nport {self.job.port}\npassword {PASSWORD}\ndelivery mbox {self.out}\n"
        )

    def section(self, account: str) -> str:
        """What holds for one."""
        return f"account {account}\nuser {account}\nuidls_file {self.folder}/{account}.uidls\n"

    def write_uids(self) -> None:
        """What was seen, in the form mpop keeps it."""
        for account, uids in self.job.seen.items():
            rows = "".join(f"{uid}\n" for uid in sorted(uids))
            self.private(f"{account}.uidls", f" {len(uids)} localhost {account}\n{rows}")


class MpopEach(Mpop):
    """The same with a process for each account, several at a time."""

    name = "mpop, processes"

    def write(self) -> None:
        """A configuration for each account."""
        for account in self.job.accounts:
            self.private(f"{account}.rc", self.defaults() + self.section(account))
        self.write_uids()

    def argv(self) -> list[str | Path]:
        """The work of `xargs`; "mpop -a -C file" each."""
        listed = self.private("names", "".join(f"{account}.rc\n" for account in self.job.accounts))
        return ["xargs", "-a", listed, "-P", str(PROCESSES), "-n", "1", "mpop", "-q", "-a", "-C"]


class Fetchmail(Client):
    """fetchmail, one process for all mailboxes.

    It cannot read trustme's certificates, which have no common name; it checks the chain and goes on.
    """

    name = program = package = "fetchmail"

    def write(self) -> None:
        """One configuration, one file of UIDs."""
        polls = "".join(
            f'  user "{account}" password "{PASSWORD}" ssl no sslcertck sslcertfile "{self.job.ca}" keep no rewrite'
            f' bsmtp "{self.out}"\n'
            for account in self.job.accounts
        )
        self.private(
            "rc",
            f'set idfile "{self.folder}/ids"\npoll localhost protocol pop3 service {self.job.port} uidl\n{polls}',
        )
        rows = [f"{account}@localhost {uid}\n" for account, uids in self.job.seen.items() for uid in uids]
        self.private("ids", "".join(rows))

    def argv(self) -> list[str | Path]:
        """One pass over all."""
        return ["fetchmail", "-s", "--nosyslog", "-f", self.folder / "rc", "--pidfile", self.folder / "pid"]


class Getmail(Client):
    """getmail6: refuses to deliver as root, and forks for each message.

    Debian's 6.18 looks for the end of its child only after it was started, and hangs when the child was quicker, as
    it is here. 6.20 from PyPI does not: `pip install --target /var/tmp/getmail6 getmail6`.
    """

    name = "getmail6"
    program = "getmail"
    package = "getmail6"
    library = Path("/var/tmp/getmail6")

    @property
    def command(self) -> list[str | Path]:
        """The newer one where it is installed."""
        newer = self.library / "bin" / "getmail"
        return ["/usr/bin/python3", newer] if newer.exists() else ["getmail"]

    def write(self) -> None:
        """A folder for each account."""
        for account in self.job.accounts:
            folder = self.folder / account
            folder.mkdir()
            (folder / "getmailrc").write_text(
                f"[retriever]\ntype=SimplePOP3SSLRetriever\nserver=localhost\nport={self.job.port}\n"
                f"timeout=20\nusername={account}\npassword={PASSWORD}\nca_certs={self.job.ca}\n"
                f"[destination]\ntype=Mboxrd\npath={self.out}\n"
                "[options]\nread_all=false\ndelete=false\ndelivered_to=false\nreceived=false\nverbose=0\n"
            )
            rows = "".join(f"{uid}\0{int(time.time())}\n" for uid in self.job.seen.get(account, ()))
            (folder / f"oldmail-localhost-{self.job.port}-{account}").write_text(rows)
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def argv(self) -> list[str | Path]:
        """One process, or `xargs` over the folders."""
        command = [*self.command, "--quiet", "--getmaildir"]
        folders = [self.folder / account for account in self.job.accounts]
        if len(folders) == 1:
            return [*command, folders[0]]
        listed = self.folder / "accounts"
        listed.write_text("".join(f"{path}\n" for path in folders))
        return ["xargs", "-a", listed, "-P", str(PROCESSES), "-n", "1", *command]


class _Peak(threading.Thread):
    """Looks at a process's high-water mark of memory while it lives: `ru_maxrss` would tell of its parent too."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.kib = 0
        self.over = threading.Event()
        self._status = Path(f"/proc/{pid}/status")

    def run(self) -> None:
        while not self.over.wait(0.01):
            with contextlib.suppress(OSError, ValueError, IndexError):
                self.kib = int(self._status.read_text().split("VmHWM:")[1].split()[0])


def run(client: Client) -> Run:
    """One run of a prepared client, with the CPU of all its children.

    Raises:
        RuntimeError: it failed, or took longer than it may; its processes are ended then.
    """
    runs_as_other = isinstance(client, Getmail) and os.geteuid() == 0
    errors = (client.folder / "stderr").open("w+b")
    began = time.perf_counter()
    process = subprocess.Popen(
        client.argv(),
        cwd=client.folder,
        env={
            **os.environ,
            "HOME": str(client.folder),
            "FETCHMAILHOME": str(client.folder),
            "PYTHONPATH": str(Getmail.library),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
        user=client.account.pw_uid if runs_as_other else None,
        group=client.account.pw_gid if runs_as_other else None,
        extra_groups=() if runs_as_other else None,
    )
    limit = threading.Timer(LIMIT_SECONDS, lambda: os.killpg(process.pid, signal.SIGKILL))
    limit.start()
    peak = _Peak(process.pid)
    peak.start()
    assert process.stdout is not None
    with process.stdout, errors:
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        limit.cancel()
        peak.over.set()
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        complaint = errors.read()[-600:].decode(errors="replace")
    if process.returncode not in {0, 1}:  # fetchmail says 1 when there was no mail
        raise RuntimeError(f"{client.name} ended with {process.returncode}: {complaint}")
    result = Run(wall, usage.ru_utime + usage.ru_stime, peak.kib, written=client.out.stat().st_size)
    client.note(result, said)
    return result
