/* SPDX-License-Identifier: MIT */
/*
 * rjwt-keyd run: sleep until something is due, do it, and say so. It wakes for nothing else but signals and
 * a step of the wall clock.
 */
#include "check.h"
#include "keyd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

/* 9999-12-31, or as far as a time_t of 32 bits goes: a timer that is armed also notices a clock that is set */
#define NEVER_S (sizeof(time_t) < sizeof(int64_t) ? (int64_t)INT32_MAX : INT64_C(253402300799))
#define RETRY_S 60 /* after a failure: a disk may be full for a while */

struct daemon {
	struct keyd *keyd;
	struct rjwt *handle;
	int timer, signals;
	bool failing;	    /* the last try failed: this is reported once */
	bool stale;	    /* the configuration could not be read again, and not for its own sake */
	bool worked;	    /* one did not */
	struct stat config; /* of the file that was read, zeros: there was none */
};

/* systemd's notify protocol, sd_notify(3): one datagram to the socket that the environment names. */
static void
notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	RJWT_CLEAN(fd_clean) int fd = -1;
	size_t n = path == NULL ? 0 : strlen(path);

	if (n < 2 || n >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

/*
 * at_s 0: never. Absolute, so that sleep and suspend count; cancelled when the clock is set. *set: that
 * happened since it was armed last, and armed it is all the same.
 */
static bool
set_timer(const struct daemon *d, int64_t at_s, bool *set)
{
	struct itimerspec when = { .it_value.tv_sec = (time_t)(at_s == 0 || at_s > NEVER_S ? NEVER_S : at_s) };
	int ret = timerfd_settime(d->timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL);

	*set = ret != 0 && errno == ECANCELED;
	if (ret == 0 || *set)
		return true;
	tool_say(&d->keyd->tool, "cannot set a timer: %s", strerrordesc_np(errno));
	return false;
}

static const char *
config_path(const struct daemon *d)
{
	const char *path = d->keyd->tool.options.config;

	return path == NULL ? RJWT_CONFIG_FILE : path;
}

static void
look_at_config(const struct daemon *d, struct stat *status)
{
	if (stat(config_path(d), status) != 0)
		*status = (struct stat){ 0 };
}

static void reload(struct daemon *d, bool asked);

/*
 * Those who mint read the configuration each time: what they promise by a new one, an old one of ours must not
 * break. So a changed file is read when something is due, as if SIGHUP had come.
 */
static void
follow_config(struct daemon *d)
{
	struct stat now;

	look_at_config(d, &now);
	/* ctime: a new mode may be what makes it acceptable. */
	if (now.st_ino != d->config.st_ino || now.st_size != d->config.st_size ||
	    now.st_ctim.tv_sec != d->config.st_ctim.tv_sec || now.st_ctim.tv_nsec != d->config.st_ctim.tv_nsec)
		reload(d, true);
	else if (d->stale)
		reload(d, false);
}

/* What is still due, or due again, waits until the next second: nothing keeps us, the disk and the lock busy. */
static int64_t
next_s(int64_t event_s)
{
	int64_t now_s = (int64_t)time(NULL);

	return event_s != 0 && event_s <= now_s ? now_s + 1 : event_s;
}

/* Do what is due; *set: the clock was set meanwhile. */
static bool
tick_once(struct daemon *d, bool *set)
{
	struct rjwt_change change;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = rjwt_maintain(d->handle, 0, &change, &diag);

	if (err != RJWT_OK) {
		if (!d->failing)
			(void)keyd_fail(d->keyd, err, &diag);
		d->failing = true;
		if (!d->worked && tool_denied(&diag)) /* another user's daemon: time will not mend that */
			return false;
		return set_timer(d, (int64_t)time(NULL) + RETRY_S, set);
	}
	if (d->failing)
		tool_say(&d->keyd->tool, "working again");
	d->failing = false;
	d->worked = true;
	if (change.any || change.warning[0] != '\0')
		keyd_tell(d->keyd, &change);
	return set_timer(d, next_s(change.next_event_s), set);
}

static bool
tick(struct daemon *d)
{
	bool set = true, good = true;

	follow_config(d);
	while (good && set)
		good = tick_once(d, &set);
	return good;
}

/* An invalid configuration is rejected, and the old one kept. */
static void
reload(struct daemon *d, bool asked)
{
	struct rjwt_diag diag = { 0 };
	struct rjwt *fresh;
	enum rjwt_err err;

	notify("RELOADING=1");
	look_at_config(d, &d->config);
	err = rjwt_open(&d->keyd->tool.options, &fresh, &diag);
	if (err == RJWT_OK) {
		rjwt_close(d->handle);
		d->handle = fresh;
		tool_say(&d->keyd->tool, "reread the configuration");
	} else if (asked || err == RJWT_CONFIG) {
		(void)keyd_fail(d->keyd, err, &diag);
		tool_say(&d->keyd->tool, "keeping the old configuration");
	}
	/* A keyset that is away for a moment: the file is read when that is over. */
	d->stale = err != RJWT_OK && err != RJWT_CONFIG;
	notify("READY=1");
}

/* false: a signal asks the program to end. */
static bool
take_signal(struct daemon *d)
{
	struct signalfd_siginfo info;

	if (read(d->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return true;
	if (info.ssi_signo == SIGCHLD) {
		(void)waitpid(-1, NULL, WNOHANG);
		return true;
	}
	if (info.ssi_signo != SIGHUP)
		return false;
	reload(d, true);
	return true;
}

/* In a process of its own: programs that it asks may take their time, and nothing that happens there ends the daemon. */
static void
look_for_news(const struct daemon *d)
{
	sigset_t none;
	pid_t pid = fork();

	if (pid < 0)
		tool_say(&d->keyd->tool, "cannot check this host: %s", strerrordesc_np(errno));
	if (pid != 0)
		return;
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* it ends with the daemon */
	check_news(&d->keyd->tool.options);
	_exit(0);
}

static int
loop(struct daemon *d)
{
	struct pollfd fds[2] = { { .fd = d->timer, .events = POLLIN }, { .fd = d->signals, .events = POLLIN } };
	uint64_t expirations;

	if (!tick(d))
		return EXIT_REFUSED;
	notify("READY=1");
	look_for_news(d);
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return EXIT_REFUSED;
		if ((fds[1].revents & POLLIN) != 0 && !take_signal(d))
			return EXIT_DONE;
		/* Due, or the clock was set: both are for the plan to judge. */
		if ((fds[0].revents & (POLLIN | POLLERR)) != 0)
			(void)!read(d->timer, &expirations, sizeof(expirations));
		if (!tick(d))
			return EXIT_REFUSED;
	}
}

static void
daemon_clean(struct daemon *d)
{
	rjwt_close(d->handle);
	fd_clean(&d->timer);
	fd_clean(&d->signals);
}

int
keyd_run(struct keyd *keyd)
{
	RJWT_CLEAN(daemon_clean) struct daemon d = { .keyd = keyd, .timer = -1, .signals = -1 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;
	sigset_t set;
	int status;

	look_at_config(&d, &d.config);
	err = rjwt_open(&keyd->tool.options, &d.handle, &diag);
	if (err != RJWT_OK)
		return tool_fail(&keyd->tool, err, &diag);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	/* Blocked throughout: whatever is under way when one comes is done first. */
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	d.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	d.timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (d.signals < 0 || d.timer < 0) {
		tool_say(&keyd->tool, "cannot create a timer: %s", strerrordesc_np(errno));
		return EXIT_REFUSED;
	}
	tool_say(&keyd->tool, "started");
	keyd_follow_first(keyd);
	status = loop(&d);
	notify("STOPPING=1");
	tool_say(&keyd->tool, status == EXIT_DONE ? "ended" : "ended after a failure");
	return status;
}
