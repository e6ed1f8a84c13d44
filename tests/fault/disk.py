# SPDX-License-Identifier: MIT
"""What a power cut leaves of files and folders, of whose changes there is a journal: for crash.py and fleet.py."""
import os
import shutil


class Disk:
    """Files and folders below one path, as they are and as they would be after a power cut."""

    def __init__(self, root):
        self.root = root
        self.data = {}      # inode: [durable bytes, bytes]
        self.mode = {}      # inode or folder: mode
        self.entries = {}   # folder: {name: inode or None for a folder}, durable
        self.pending = []   # (folder, operation, name, inode, other name), not durable, in order
        self.names = {}     # path: inode, as they are
        self.inodes = 0
        if os.path.exists(root):
            self.read(root)

    def read(self, folder):
        self.entries[folder] = {}
        self.mode[folder] = os.stat(folder).st_mode & 0o7777
        for name in os.listdir(folder):
            path = folder + "/" + name
            if os.path.isdir(path):
                self.entries[folder][name] = None
                self.read(path)
            else:
                with open(path, "rb") as file:
                    data = file.read()
                inode = self.new(data, os.stat(path).st_mode & 0o7777)
                self.entries[folder][name] = inode
                self.names[path] = inode

    def new(self, data, mode):
        self.inodes += 1
        self.data[self.inodes] = [data, data]
        self.mode[self.inodes] = mode
        return self.inodes

    def apply(self, line):
        kind, path, *rest = line.rstrip("\n").split("\t")
        folder, _, name = path.rpartition("/")
        if path.endswith(" (deleted)"):
            return  # a file without a name, which tries whether there is room
        if kind == "create":
            inode = self.new(b"", 0o600 if "/private/" in path or "/spent/" in path else 0o644)
            self.data[inode][0] = None
            self.names[path] = inode
            self.pending.append((folder, "add", name, inode))
        elif kind == "write":
            inode = self.names[path]
            data, offset = bytes.fromhex(rest[1]), int(rest[0])
            old = self.data[inode][1]
            self.data[inode][1] = old[:offset].ljust(offset, b"\0") + data + old[offset + len(data):]
        elif kind == "sync all":
            for inode, (_, now) in list(self.data.items()):
                self.data[inode][0] = now
            for change in self.pending:
                self.settle(self.entries, change)
            self.pending = []
        elif kind == "sync" and path in self.names:
            inode = self.names[path]
            self.data[inode][0] = self.data[inode][1]
        elif kind == "sync":
            left = []
            for change in self.pending:
                if change[0] == path:
                    self.settle(self.entries, change)
                else:
                    left.append(change)
            self.pending = left
        elif kind == "rename":
            inode = self.names.pop(path)
            self.names[rest[0]] = inode
            self.pending.append((folder, "rename", name, inode, rest[0].rpartition("/")[2]))
        elif kind == "unlink":
            self.pending.append((folder, "remove", name, self.names.pop(path, None)))
        elif kind == "mkdir":
            self.entries.setdefault(path, {})
            self.mode.setdefault(path, 0o700 if name in ("private", "spent", "issued", "parked") or "/spent/" in path else 0o755)
            self.pending.append((folder, "add", name, None))

    @staticmethod
    def settle(entries, change):
        folder, kind, name, inode = change[:4]
        there = entries.setdefault(folder, {})
        if kind == "add":
            there[name] = inode
        elif kind == "remove":
            there.pop(name, None)
        else:
            there.pop(name, None)
            there[change[4]] = inode

    def materialize(self, keep, data):
        """keep: which of the pending changes came to disk; data: "durable", "all" or "torn"."""
        entries = {folder: dict(names) for folder, names in self.entries.items()}
        for change, kept in zip(self.pending, keep):
            if kept:
                self.settle(entries, change)
        shutil.rmtree(self.root, ignore_errors=True)
        above = self.root.rpartition("/")[0]
        name = self.root.rpartition("/")[2]
        if above in entries and name not in entries[above]:
            return
        if self.root in entries:
            self.write(self.root, entries, data)

    def write(self, folder, entries, data):
        os.mkdir(folder)
        os.chmod(folder, self.mode.get(folder, 0o755))
        for name, inode in entries[folder].items():
            path = folder + "/" + name
            if inode is None:
                if path in entries:
                    self.write(path, entries, data)
                continue
            durable, now = self.data[inode]
            text = now if data == "all" else durable if durable is not None else b""
            if data == "torn" and durable != now:
                text = now[:len(now) // 2]
            with open(path, "wb") as file:
                file.write(text)
            os.chmod(path, self.mode[inode])


def states(disk, rng, last):
    """(name, which pending changes are kept, what becomes of data that was not synced)"""
    n = len(disk.pending)
    yield "all", [True] * n, "all"
    yield "nothing that was not synced", [False] * n, "durable"
    yield "all names, and torn data", [True] * n, "torn"
    yield "all names, and no data", [True] * n, "durable"
    for _ in range(6 if last else 1):
        yield "some", [rng.random() < 0.5 for _ in range(n)], rng.choice(["durable", "all", "torn"])
