/* SPDX-License-Identifier: MIT */
/* clang-format off: keys are lines */
/* ssh_keys.h - ssh keys of tests, of which no private half exists, and a login as sshd tells it. */
#ifndef RJWT_TEST_SSH_KEYS_H
#define RJWT_TEST_SSH_KEYS_H

#define SSH_KEY_TYPE "ssh-ed25519"
#define SSH_KEY_BASE64 "AAAAC3NzaC1lZDI1NTE5AAAAIH5pWPXHiwcMqxJCKvDno00a8NQDhJfHk3g672HoBPG8"
#define SSH_KEY SSH_KEY_TYPE " " SSH_KEY_BASE64
#define SSH_FINGERPRINT "SHA256:rEJL43vvADx2VmxFTt8hZXbpoiB9LkWztIpYZrgJHfo"

#define OTHER_SSH_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRThQWm8aEoxL3n0MKehwBTc2YrK6nLHUyXHHFymmb+"
#define OTHER_FINGERPRINT "SHA256:5jJzyo3kvzYrwrEC8E5HKB8Q4OYwQXCI7eIXs+U10Hw"

/* A certificate over SSH_KEY. */
#define SSH_CERTIFICATE                                                                                        \
	"ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIFl+QgLcGzBgidD" \
	"c5NOUpHRoZpmXpjV3tb4pSk8QAXlcAAAAIH5pWPXHiwcMqxJCKvDno00a8NQDhJfHk3g672HoBPG8AAAAAAAAAAAAAAABAAAABWl" \
	"kLWVkAAAAEAAAAAVhbGljZQAAAANib2IAAAAAawyjqAAAAABrDLH+AAAAAAAAAIIAAAAVcGVybWl0LVgxMS1mb3J3YXJkaW5nAAA" \
	"AAAAAABdwZXJtaXQtYWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQtZm9yd2FyZGluZwAAAAAAAAAKcGVybWl0LXB" \
	"0eQAAAAAAAAAOcGVybWl0LXVzZXItcmMAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAgZFOFBabxoSjEvefQwp6HAFNzZis" \
	"rqcsdTJcccXKaZv4AAABTAAAAC3NzaC1lZDI1NTE5AAAAQEo4rED8uwTWHNmlHjcNvJWzox/JaNFNZmX126opc2A7GU4gyFb/D32" \
	"PBPNoF4WB+WRlBXWS6iDypGXl/43l6Q4="

/* Of keys of other types. */
#define OTHER_FINGERPRINTS                                                                                          \
	"SHA256:A4Jnuwja5ZX9vqM/YBA/wpdPR9WH70Qml1vfhDNeI8U", "SHA256:aYbZ5ZXveaueXbjHuJTttZMc00Rwcj/D5eKLaXJU9GY", \
	    "SHA256:3uu9Oek/+Mkxm0hPyxC6Tmqgt6531mOmb34diYeFYL0",                                                   \
	    "SHA256:MrQoagGw7Y8ztvJsZ+jwHG8eAuUUyZI3qJYvAB87TFM",                                                   \
	    "SHA256:C6bY/CWJc5nLAUPXVhUQqH147810rhxpmNZZEzf+FsY", "SHA256:aeRrPF3VYf5R5YB3YRcNNn/mgoGoaifXE3+cX7dMBIs"

/* SSH_AUTH_INFO_0 of somebody who has used SSH_KEY, and where that was. */
#define SSH_AUTH_INFO "publickey " SSH_KEY "\n"
#define SSH_SOURCE "192.0.2.7"
#define SSH_SOURCE_6 "2001:db8::7"

#endif
