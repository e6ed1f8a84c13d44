#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tpm_proxy.py SOCKET NEW LIMIT [CODE] - in front of a TPM of swtpm, at NEW: it passes on LIMIT commands.

After them it answers nobody any more, as a TPM that is gone; with CODE, each command with this code of a TPM.
What it has passed on is in the file NEW.count.
"""
import os
import socket
import struct
import sys
import threading


def whole(conn):
	"""a command or a response: its size is in bytes 2 to 5"""
	data = b""
	while len(data) < 10 or len(data) < struct.unpack(">I", data[2:6])[0]:
		more = conn.recv(65536)
		if not more:
			return None
		data += more
	return data


def open_at(path):
	listener = socket.socket(socket.AF_UNIX)
	listener.bind(path)
	listener.listen(64)
	return listener


def connect(path):
	conn = socket.socket(socket.AF_UNIX)
	conn.connect(path)
	return conn


def control(listener, path):
	"""the control channel: what its clients ask is answered at once, in one piece"""
	while True:
		client, _ = listener.accept()
		with client, connect(path) as server:
			while request := client.recv(65536):
				server.sendall(request)
				client.sendall(server.recv(65536))


def main():
	path, new, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
	code = int(sys.argv[4], 0) if len(sys.argv) > 4 else None
	count = 0
	threading.Thread(target=control, args=(open_at(new + ".ctrl"), path + ".ctrl"), daemon=True).start()
	listener = open_at(new)
	while True:
		client, _ = listener.accept()
		server = connect(path)
		while command := whole(client):
			count += 1
			with open(new + ".count", "w", encoding="ascii") as out:
				out.write(str(count))
			if count > limit and code is None:
				os._exit(0)
			if count > limit:
				client.sendall(struct.pack(">HII", 0x8001, 10, code))
				continue
			server.sendall(command)
			client.sendall(whole(server))
		client.close()
		server.close()


main()
