"""A Linux machine with BlueZ, in QEMU: the real Bluetooth stack on a host that has none.

Its root file system is the host's own, read-only over 9p with a memory overlay, so the same Python, the same packages
and the same checkout are inside; the kernel is Debian's, since the host's may lack Bluetooth. No KVM is needed.
"""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
MEMORY = "1536M"
EARLY_MODULES = ("virtio_pci", "virtio_blk", "9pnet_virtio", "9p", "overlay")

PARTS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "bluetoothctl": "bluez",
    "dbus-daemon": "dbus",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "modprobe": "kmod",
    "mkfs.ext4": "e2fsprogs",
}
"""Program → Debian's package for it."""


OLDEST_KERNEL = (6, 12)
"""Before 6.14 and its stable kin, a socket that closed after its link was gone corrupted a list in the kernel
("Bluetooth: L2CAP: Fix corrupted list in hci_chan_del"): Debian's 6.1 crashes in one run out of two."""


def missing() -> list[str]:
    """Debian's packages that this host lacks for the machine."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    packages = [package for program, package in PARTS.items() if not shutil.which(program, path=path)]
    return packages if _kernel() else [*packages, "linux-image-6.12-amd64"]


def _kernel() -> Path | None:
    """The newest kernel of Debian's that will do and whose modules are here."""
    found = [kernel for kernel in Path("/boot").glob("vmlinuz-*-amd64") if _version(kernel) >= OLDEST_KERNEL]
    whole = [kernel for kernel in found if (Path("/lib/modules") / kernel.name.removeprefix("vmlinuz-")).is_dir()]
    return max(whole, key=_version, default=None)


def _version(kernel: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", kernel.name.removesuffix("-amd64")))


class Finished(NamedTuple):
    """What a job printed, and its exit code; -1 where the machine did not get that far."""

    exit_code: int
    output: str


class Machine:
    """A running machine. `lines()` gives what it prints; `kill()` pulls its plug."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def lines(self) -> Iterator[str]:
        """The console's lines as they come, until the machine is off."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield line.rstrip("\r\n")

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._process.kill()
        self._process.wait()


@contextmanager
def start(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    disk: Path | None = None,
) -> Iterator[Machine]:
    """Boots the machine and runs a command in it. `disk` is an ext4 image, mounted inside at /mnt/disk."""
    kernel = _kernel()
    if kernel is None:
        raise FileNotFoundError("there is no kernel of Debian's in /boot that will do")
    with tempfile.TemporaryDirectory(prefix="bluez-") as folder:
        place = Path(folder)
        # Inside, the host's temporary folder is there as it was when the machine started.
        job = place / "job.sh"
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in (env or {}).items())
        quoted = shlex.join(str(word) for word in command)
        job.write_text(f"{exports}cd {shlex.quote(str(cwd or Path.cwd()))}\nexec {quoted}\n", "utf-8")
        initramfs = _initramfs(place, kernel.name.removeprefix("vmlinuz-"))
        arguments = ["-kernel", kernel, "-initrd", initramfs, "-m", MEMORY, "-smp", "2", "-cpu", "max"]
        arguments += ["-accel", "tcg,thread=multi", "-nodefaults", "-no-user-config", "-no-reboot"]
        # stdio as the console's device needs an input that stays open.
        arguments += ["-display", "none", "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
        arguments += ["-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"]
        arguments += ["-device", "virtio-9p-pci,fsdev=root,mount_tag=host"]
        if disk is not None:
            arguments += ["-drive", f"file={disk},if=virtio,format=raw,cache=writethrough"]
        told = f"console=ttyS0 quiet loglevel=3 oops=panic panic=-1 tk.stage={HERE / 'guest.sh'} tk.job={job}"
        with subprocess.Popen(
            ["qemu-system-x86_64", *arguments, "-append", told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            try:
                yield Machine(process)
            finally:
                process.kill()


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    disk: Path | None = None,
    echo: bool = False,
) -> Finished:
    """Boots the machine, runs a command in it to its end, and gives what it printed."""
    printed: list[str] = []
    with start(command, cwd=cwd, env=env, disk=disk) as machine:
        for line in machine.lines():
            if echo:
                print(line, flush=True)
            if line.startswith("@@exit "):
                return Finished(int(line.split()[1]), "\n".join(printed))
            printed.append(line)
    return Finished(-1, "\n".join(printed))


def _initramfs(place: Path, version: str) -> Path:
    """busybox, the modules that the root file system needs, and `init.sh`."""
    tree = place / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "modules").mkdir()
    shutil.copy(shutil.which("busybox") or "busybox", tree / "bin" / "busybox")
    order: list[str] = []
    for module in EARLY_MODULES:
        shown = subprocess.run(
            [shutil.which("modprobe") or "/sbin/modprobe", "--show-depends", "-S", version, module],
            capture_output=True,
            text=True,
            check=True,
        )
        for line in shown.stdout.splitlines():
            if line.startswith("insmod "):
                path = Path(line.split()[1])
                if path.name not in order:
                    order.append(path.name)
                    shutil.copy(path, tree / "modules")
    (tree / "modules" / "order").write_text("\n".join(order))
    shutil.copy(HERE / "init.sh", tree / "init")
    (tree / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    archive = place / "initramfs"
    with archive.open("wb") as out:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree, input=names.encode(), stdout=out, check=True)
    return archive


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(run(sys.argv[1:], echo=True).exit_code)
