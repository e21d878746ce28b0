"""Two nodes with a network of a given bandwidth between them, on one machine.

A node is a network namespace with a host name of its own; a veth pair joins the two, and `tc tbf` limits what leaves
either end. Jumbo frames leave one by one, with a limit or without, so that they cost the cores the same. Open MPI
starts its daemon in the second namespace through an agent that stands in for ssh, and its ranks talk over TCP. Needs
root, `ip`, `tc` and `unshare`; `reason()` says what is missing.
"""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from lqcd_hpc.cli.launcher import mpirun

NODES = ("lqcd-a", "lqcd-b")
ADDRESSES = ("10.213.77.1", "10.213.77.2")
MTU = 9000
PAYLOAD = (MTU - 52) / (MTU + 14)  # of a full frame: headers of IP and TCP with time stamps, and of Ethernet
BURST = 16384  # bytes that may pass at once
_AGENT = """#!/bin/sh
shift
exec unshare --uts sh -c 'hostname "$1"; exec ip netns exec "$1" sh -c "$2"' sh {node} "$*"
"""


def reason():
    """Why there can be no such network here, or None."""
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    for tool in ("ip", "tc", "unshare"):
        if not shutil.which(tool):
            return f"there is no {tool} on this machine"
    if not mpirun() or "Open MPI" not in _told([*mpirun(), "--version"]):
        return "there is no mpirun of Open MPI"
    try:
        with network():
            return None
    except RuntimeError as error:
        return str(error)


@contextmanager
def network(bits_per_second=None):
    """Launcher words (for `run_job`) of a job with one rank on either node; None: as fast as the machine is."""
    with tempfile.TemporaryDirectory() as folder:
        agent = Path(folder) / "agent"
        agent.write_text(_AGENT.format(node=NODES[1]))
        agent.chmod(0o755)
        try:
            _join()
            if bits_per_second:
                for node in NODES:
                    _limit(node, bits_per_second)
            yield _launcher(agent)
        finally:
            for node in NODES:
                subprocess.run(["ip", "netns", "delete", node], capture_output=True)


def bandwidth(bits_per_second):
    """Bytes of messages per second through such a network."""
    return bits_per_second / 8 * PAYLOAD


def _join():
    a, b = NODES
    for node in NODES:
        _do("ip", "netns", "add", node)
    _do("ip", "link", "add", "net", "netns", a, "type", "veth", "peer", "name", "net", "netns", b)
    for node, address in zip(NODES, ADDRESSES):
        _do("ip", "-n", node, "address", "add", f"{address}/24", "dev", "net")
        for device in ("lo", "net"):
            _do("ip", "-n", node, "link", "set", device, "up")
        _do("ip", "-n", node, "link", "set", "net", "mtu", str(MTU), "gso_max_segs", "1")


def _limit(node, bits_per_second):
    shape = ("rate", f"{int(bits_per_second)}bit", "burst", str(BURST), "latency", "100ms")
    _do("ip", "netns", "exec", node, "tc", "qdisc", "add", "dev", "net", "root", "tbf", *shape)


def _launcher(agent):
    inside = 'hostname "$0"; exec ip netns exec "$0" "$@"'
    hosts = ",".join(f"{address}:1" for address in ADDRESSES)
    words = [*mpirun(), "--host", hosts, "--map-by", "node", "--bind-to", "none"]
    words += ["--prtemca", "plm_ssh_agent", str(agent), "--mca", "pml", "ob1", "--mca", "btl", "tcp,self"]
    words += ["--mca", "btl_tcp_if_include", "10.213.77.0/24"]
    return ["unshare", "--uts", "sh", "-c", inside, NODES[0], *words]


def _do(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip() or 'failed'}")


def _told(words):
    return subprocess.run(words, capture_output=True, text=True).stdout
