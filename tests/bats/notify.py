# SPDX-License-Identifier: MIT
# notify.py SOCKET - print what is told by systemd's notify protocol, a line each; ready when it prints "listening".
import socket
import sys

path = sys.argv[1]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("\0" + path[1:] if path.startswith("@") else path)
print("listening", flush=True)
while True:
    print(listener.recv(4096).decode(), flush=True)
