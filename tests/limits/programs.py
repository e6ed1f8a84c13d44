# SPDX-License-Identifier: MIT
"""The programs that measure.py drives: a driver for each service of the table."""
import base64
import os
import shutil
import socket
import subprocess
import time

import pexpect

WORK = "/run/limits"
LENGTHS = WORK + "/lengths"
LONGEST_NAME = "tester-" + "x" * 25    # in HTTP it shares its room with the reply; useradd allows 32 bytes
ASKED = r"(?i)(token|password)[^\r\n]*: ?\a?$"


def lengths():
    with open(LENGTHS, encoding="ascii") as file:
        return [int(line) for line in file]


def service(name, more=""):
    with open("/etc/pam.d/" + name, "w", encoding="ascii") as file:
        file.write("auth required %s/pam_length.so %s\n" % (WORK, LENGTHS)
                   + "account required pam_permit.so\nsession required pam_permit.so\n" + more)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, mode)


def daemon(*command, ready=None, **more):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=open(WORK + "/daemon.log", "ab"),
                               stderr=subprocess.STDOUT, **more)
    deadline = time.monotonic() + 20
    while ready is not None and not ready():
        if process.poll() not in (None, 0) or time.monotonic() > deadline:
            raise RuntimeError("%s does not start" % command[0])
        time.sleep(0.1)
    return process


def listens(port):
    def ready():
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False
    return ready


def need(*programs):
    for program in programs:
        if not (os.path.exists(program) or shutil.which(program)):
            raise RuntimeError(program + " is not installed")


def on_terminal(command, before=None):
    """Each reply to a new run of the command on a terminal; before: what to send first."""
    reply = yield
    while True:
        child = pexpect.spawn(command[0], command[1:], timeout=10, env=dict(os.environ, TERM="vt100"))
        child.delaybeforesend = 0.1
        if before is not None:
            before(child)
        child.expect(ASKED)
        child.send(reply + "\n")
        start = time.monotonic()
        while not lengths() and time.monotonic() < start + 1.5:
            time.sleep(0.05)
        child.close(force=True)
        reply = yield


def by_tester(*command):
    return ["/usr/sbin/runuser", "-u", "tester", "--"] + list(command)


def sudo(name):
    write("/etc/sudoers", "Defaults timestamp_timeout=0, !lecture\nroot ALL=(ALL) ALL\ntester ALL=(ALL) ALL\n", 0o440)
    options = ["-i"] if name == "sudo-i" else []
    return on_terminal(by_tester("sudo", *options, "/bin/true"))


def su(name):
    return on_terminal(by_tester("su", *(["-"] if name == "su-l" else []), "other", "-c", "true"))


def login(name):
    return on_terminal(["/bin/login"] + (["-h", "localhost"] if name == "remote" else []) + ["tester"])


def doas(_):
    need("doas")
    write("/etc/doas.conf", "permit tester\n", 0o400)
    return on_terminal(by_tester("doas", "/bin/true"))


def vlock(_):
    need("vlock")
    return on_terminal(by_tester("vlock", "-c"), before=lambda child: child.send("\n"))


def sshd(_):
    """keyboard-interactive, by SSH_ASKPASS and on a terminal."""
    write(WORK + "/sshd_config", "Port 2222\nListenAddress 127.0.0.1\nHostKey %s/key\nUsePAM yes\nPidFile none\n"
          "KbdInteractiveAuthentication yes\nMaxStartups 200\n" % WORK)
    # ssh closes the pipe after 1023 bytes: a program that is about to write its newline then dies, and has not answered
    write(WORK + "/askpass", "#!/bin/sh\ncat %s/reply\nsleep 0.1\necho\n" % WORK, 0o755)
    if not os.path.exists(WORK + "/key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", WORK + "/key"], check=True)
    os.makedirs("/run/sshd", exist_ok=True)
    daemon("/usr/sbin/sshd", "-D", "-f", WORK + "/sshd_config", ready=listens(2222))
    return by_askpass(), on_terminal(SSH)


SSH = ["/usr/bin/ssh", "-F", "/dev/null", "-p", "2222", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
       "-o", "StrictHostKeyChecking=no", "-o", "NumberOfPasswordPrompts=1",
       "-o", "PreferredAuthentications=keyboard-interactive", "tester@127.0.0.1", "true"]


def by_askpass():
    reply = yield
    while True:
        write(WORK + "/reply", reply)
        subprocess.run(SSH, env=dict(os.environ, SSH_ASKPASS=WORK + "/askpass", SSH_ASKPASS_REQUIRE="force"),
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                       timeout=20)
        reply = yield


def talk(port, *lines):
    """Send line by line, each after an answer; what came last."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.settimeout(5)
        answer = connection.recv(65536)
        for line in lines:
            try:
                connection.sendall(line.encode() + b"\r\n")
                answer = connection.recv(65536)
            except OSError:
                break
        return answer


def ftp(port):
    reply = yield
    while True:
        talk(port, "USER tester", "PASS " + reply)
        reply = yield


def vsftpd(_):
    need("vsftpd")
    write("/etc/vsftpd.limits", "listen=YES\nlisten_port=2121\nlocal_enable=YES\nanonymous_enable=NO\nbackground=NO\n"
          "pam_service_name=vsftpd\nsecure_chroot_dir=/var/run/vsftpd/empty\nseccomp_sandbox=NO\n")
    os.makedirs("/var/run/vsftpd/empty", exist_ok=True)
    daemon("/usr/sbin/vsftpd", "/etc/vsftpd.limits", ready=listens(2121))
    return ftp(2121)


def proftpd(_):
    need("proftpd")
    write("/etc/proftpd/limits.conf", "ServerName x\nServerType standalone\nPort 2121\nUser proftpd\nGroup nogroup\n"
          "UseIPv6 off\nUseReverseDNS off\nWtmpLog off\nTransferLog NONE\nRequireValidShell off\n"
          "AuthOrder mod_auth_pam.c* mod_auth_unix.c\nAuthPAMConfig proftpd\nAuthPAM on\nDelayEngine off\n"
          "PidFile %s/proftpd.pid\nScoreboardFile %s/proftpd.score\n" % (WORK, WORK))
    daemon("proftpd", "-n", "-c", "/etc/proftpd/limits.conf", ready=listens(2121))
    return ftp(2121)


def saslauthd(_):
    need("saslauthd")
    os.makedirs(WORK + "/sasl", exist_ok=True)
    mux = WORK + "/sasl/mux"
    daemon("saslauthd", "-d", "-a", "pam", "-n", "1", "-m", WORK + "/sasl", ready=lambda: os.path.exists(mux))
    return by_sasl(mux)


def by_sasl(mux):
    """saslauthd's own protocol: counted strings, so that no client's limit comes in between."""
    reply = yield
    while True:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(mux)
            try:
                for text in ("tester", reply, "saslauthd", ""):
                    connection.sendall(len(text).to_bytes(2, "big") + text.encode())
                connection.recv(64)
            except OSError:
                pass
        reply = yield


def dovecot(_):
    need("dovecot")
    write("/etc/dovecot/limits.conf", "protocols = imap\nlisten = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\n"
          "log_path = %s/dovecot.log\nbase_dir = %s/dovecot\npassdb {\n  driver = pam\n  args = "
          "dovecot\n}\nuserdb {\n  driver = passwd\n}\nservice imap-login {\n  inet_listener imap {\n    port = 2143\n"
          "  }\n}\nauth_failure_delay = 0\nmail_location = maildir:~/Maildir\n" % (WORK, WORK))
    daemon("dovecot", "-F", "-c", "/etc/dovecot/limits.conf", ready=listens(2143))
    return (by_imap('a login %s "%s"'), by_imap("a login %s {%d+}\r\n%s"), by_imap("a authenticate plain %s"))


def by_imap(command):
    """LOGIN with a quoted string and with a literal, and AUTHENTICATE."""
    reply = yield
    while True:
        if "plain" in command:
            secret = "\0%s\0%s" % (LONGEST_NAME, reply)
            talk(2143, command % base64.b64encode(secret.encode()).decode())
        elif "{" in command:
            talk(2143, command % (LONGEST_NAME, len(reply), reply))
        else:
            talk(2143, command % (LONGEST_NAME, reply))
        reply = yield


def by_http(port, path="/", request="GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Basic %s\r\nConnection: close\r\n\r\n"):
    reply = yield
    while True:
        secret = base64.b64encode((LONGEST_NAME + ":" + reply).encode()).decode()
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.settimeout(5)
            try:
                connection.sendall((request % (path, secret)).encode())
                connection.recv(65536)
            except OSError:
                pass
        reply = yield


def lighttpd(_):
    need("lighttpd")
    os.makedirs(WORK + "/www", exist_ok=True)
    write(WORK + "/lighttpd.conf", 'server.modules = ("mod_auth", "mod_authn_pam")\nserver.port = 8081\n'
          'server.bind = "127.0.0.1"\nserver.document-root = "%s/www"\nserver.username = "www-data"\n'
          'server.groupname = "www-data"\nauth.backend = "pam"\nauth.backend.pam.opts = ("service" => "lighttpd")\n'
          'auth.require = ("/" => ("method" => "basic", "realm" => "x", "require" => "valid-user"))\n' % WORK)
    daemon("lighttpd", "-D", "-f", WORK + "/lighttpd.conf", ready=listens(8081))
    return by_http(8081)


def apache2(_):
    need("apache2")
    modules = "".join("LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n" % (name, name)
                      for name in ("mpm_prefork", "authn_core", "authz_core", "authz_user", "auth_basic", "authnz_pam"))
    write(WORK + "/apache2.conf", modules + "ServerName x\nListen 127.0.0.1:8082\nUser www-data\nGroup www-data\n"
          'DocumentRoot %s/www\nPidFile %s/apache2.pid\nErrorLog %s/apache2.log\nMutex file:%s\n<Location "/">\nAuthType Basic\n'
          "AuthName x\nAuthBasicProvider PAM\nAuthPAMService apache2\nRequire valid-user\n</Location>\n"
          % (WORK, WORK, WORK, WORK))
    os.makedirs(WORK + "/www", exist_ok=True)
    daemon("/usr/sbin/apache2", "-X", "-f", WORK + "/apache2.conf", ready=listens(8082))
    return by_http(8082)


def nginx(_):
    need("nginx")
    os.makedirs(WORK + "/www", exist_ok=True)
    write(WORK + "/nginx.conf", "load_module modules/ngx_http_auth_pam_module.so;\nuser www-data;\npid %s/nginx.pid;\n"
          "daemon off;\nevents {}\nhttp {\nserver {\nlisten 127.0.0.1:8083;\nroot %s/www;\nauth_pam \"x\";\n"
          "auth_pam_service_name \"nginx\";\n}\n}\n" % (WORK, WORK))
    daemon("nginx", "-p", "/usr/share/nginx", "-c", WORK + "/nginx.conf", ready=listens(8083))
    return by_http(8083)


def cockpit(_):
    need("/usr/lib/cockpit/cockpit-ws", "/usr/lib/cockpit/cockpit-session")
    daemon("/usr/lib/cockpit/cockpit-ws", "--no-tls", "-p", "9091", "-a", "127.0.0.1", ready=listens(9091))
    return by_http(9091, "/cockpit/login")


def postgresql(_):
    programs = max(("/usr/lib/postgresql/%s/bin" % version for version in os.listdir("/usr/lib/postgresql")))
    data = "/var/lib/postgresql/limits"
    run = ["/usr/sbin/runuser", "-u", "postgres", "--"]
    subprocess.run(run + [programs + "/initdb", "-D", data, "-A", "trust"], check=True, stdout=subprocess.DEVNULL)
    write(data + "/pg_hba.conf", "local all postgres trust\nhost all all 127.0.0.1/32 pam pamservice=postgresql\n")
    daemon(*run, programs + "/postgres", "-D", data, "-p", "5433", "-h", "127.0.0.1", "-k", "/tmp",
           ready=listens(5433))
    return by_psql()


def by_psql():
    reply = yield
    while True:
        subprocess.run(["psql", "-h", "127.0.0.1", "-p", "5433", "-U", "tester", "-w", "-c", "select 1", "postgres"],
                       env=dict(os.environ, PGPASSWORD=reply), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=20)
        reply = yield


def openvpn(_):
    need("openvpn")
    plugin = subprocess.run("dpkg -L openvpn | grep -m 1 auth-pam.so", shell=True, capture_output=True, check=True,
                            text=True).stdout.strip()
    os.makedirs("/dev/net", exist_ok=True)
    if not os.path.exists("/dev/net/tun"):
        os.mknod("/dev/net/tun", 0o600 | 0o020000, os.makedev(10, 200))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=x", "-days", "2", "-keyout", WORK + "/vpn.key", "-out", WORK + "/vpn.crt"], check=True,
                   stderr=subprocess.DEVNULL)
    write(WORK + "/server.conf", "dev tun\nproto tcp-server\nlocal 127.0.0.1\nport 1194\nserver 10.9.0.0 255.255.255.0\n"
          "ca %s/vpn.crt\ncert %s/vpn.crt\nkey %s/vpn.key\ndh none\nverify-client-cert none\nusername-as-common-name\n"
          'plugin %s "openvpn Token PASSWORD"\n' % (WORK, WORK, WORK, plugin))
    daemon("openvpn", "--config", WORK + "/server.conf", ready=listens(1194))
    return by_openvpn()


def by_openvpn():
    reply = yield
    while True:
        write(WORK + "/vpn.pass", "tester\n%s\n" % reply, 0o600)
        client = subprocess.Popen(["openvpn", "--client", "--dev", "null", "--proto", "tcp-client", "--remote", "127.0.0.1",
                                   "1194", "--ca", WORK + "/vpn.crt", "--auth-user-pass", WORK + "/vpn.pass",
                                   "--auth-retry", "none", "--connect-retry-max", "1"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 6
        while not lengths() and client.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        client.kill()
        client.wait()
        reply = yield


def polkit(_):
    need("pkexec", "dbus-daemon")
    polkitd = subprocess.run("dpkg -L polkitd | grep '/polkitd$' | head -n 1", shell=True, capture_output=True,
                             check=True, text=True).stdout.strip()
    bus = "/run/dbus/system_bus_socket"
    os.makedirs("/run/dbus", exist_ok=True)
    subprocess.run(["dbus-uuidgen", "--ensure"], check=True)
    daemon("dbus-daemon", "--system", "--nofork", "--nopidfile", ready=lambda: os.path.exists(bus))
    daemon(polkitd, "--no-debug")
    time.sleep(2)
    return on_terminal(by_tester("pkexec", "/bin/true"))


def display():
    """An X server for a screen locker."""
    need("Xvfb", "xdotool")
    if not os.path.exists("/tmp/.X11-unix/X7"):
        daemon("Xvfb", ":7", "-ac", "-nolisten", "tcp", ready=lambda: os.path.exists("/tmp/.X11-unix/X7"))
    os.environ["DISPLAY"] = ":7"


def typed(reply):
    subprocess.run(["xdotool", "type", "--delay", "3", reply], check=False, timeout=120)
    subprocess.run(["xdotool", "key", "Return"], check=False)
    deadline = time.monotonic() + 5
    while not lengths() and time.monotonic() < deadline:
        time.sleep(0.1)


def i3lock(_):
    need("i3lock")
    display()
    return by_i3lock()


def by_i3lock():
    reply = yield
    while True:
        locker = subprocess.Popen(by_tester("i3lock", "-n"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        time.sleep(3)
        subprocess.run(["xdotool", "key", "Escape"], check=True)    # the first key may get lost
        typed(reply)
        subprocess.run(["pkill", "-u", "tester", "-x", "i3lock"], check=False)
        locker.wait()
        reply = yield


def xscreensaver(_):
    need("xscreensaver")
    display()
    daemon(*by_tester("env", "HOME=/home/tester", "xscreensaver", "--no-splash"))
    time.sleep(3)
    return by_xscreensaver()


def by_xscreensaver():
    command = by_tester("env", "HOME=/home/tester", "xscreensaver-command")
    reply = yield
    try:
        while True:
            subprocess.run(command + ["-lock"], check=True, stdout=subprocess.DEVNULL)
            time.sleep(3)
            subprocess.run(["xdotool", "key", "shift"], check=True)    # for the dialogue
            time.sleep(2)
            typed(reply)
            reply = yield
    finally:
        subprocess.run(command + ["-exit"], check=False, stdout=subprocess.DEVNULL)


def screen(_):
    need("screen")
    os.makedirs("/run/screen", mode=0o777, exist_ok=True)
    os.chmod("/run/screen", 0o777)
    return on_terminal(by_tester("screen", "/bin/sh"), before=lock_screen)


def lock_screen(child):
    time.sleep(2)
    child.send("\x01x")


def not_driven(reason):
    def driver(_):
        raise RuntimeError(reason)
    return driver


DRIVERS = {
    "sudo": sudo, "sudo-i": sudo, "sshd": sshd, "su": su, "su-l": su, "login": login, "remote": login,
    "openvpn": openvpn, "vsftpd": vsftpd, "saslauthd": saslauthd, "i3lock": i3lock, "doas": doas, "polkit-1": polkit,
    "vlock": vlock, "proftpd": proftpd, "lighttpd": lighttpd, "dovecot": dovecot, "apache2": apache2, "nginx": nginx,
    "cockpit": cockpit, "postgresql": postgresql, "screen": screen,
    "xscreensaver": xscreensaver,
    "swaylock": not_driven("it needs a Wayland compositor with a display"),
}
