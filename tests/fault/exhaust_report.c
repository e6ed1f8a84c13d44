/* SPDX-License-Identifier: MIT */
/* What exhaust.c found: whose fault a crash or a lost block is. */
#include "exhaust.h"
#include "base/err.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <string.h>

/*
 * What libraries do when memory ends and their callers cannot help, by the functions of the library that are
 * on the way: the innermost one (NULL: any), and one of those that it was called from. "?": without a name.
 * Where we would be given the object that was lost, it is not on such a way: that is our own to free.
 */
static const struct known {
	const char *what, *object, *inner, *below, *why;
} known[] = {
	/* What is fetched is kept in the library; half of it is lost where the other half could not be made. */
	{ "leak", "libcrypto.so.3", NULL, "EVP_MD_fetch", "names of a digest" },
	{ "leak", "libcrypto.so.3", NULL, "EVP_KEYMGMT_fetch", "names of a kind of key" },
	{ "leak", "libcrypto.so.3", NULL, "OSSL_LIB_CTX_get0_global_default", "the default context, half made" },
	{ "leak", "libcrypto.so.3", NULL, "OSSL_DECODER_CTX_new_for_pkey", "ways to read a private key" },
	{ "leak", "libpam.so.0", "?", "?", "a file of pam.d that could not be opened or read" },
	{ "leak", "libjson-c.so.5", "json_object_object_add_ex", "json_object_object_add_ex",
	    "the name of a member, whose object could not grow" },
	{ "leak", "ld-linux-x86-64.so.2", NULL, "dlopen", "a module that could not be loaded" },
	/* libpam tries it again by another path, and gets what dlopen() left. */
	{ "crash", "ld-linux-x86-64.so.2", NULL, "dlsym", "a module that was half loaded" },
};

#define KNOWN (ARRAY_LEN(known))

static unsigned long counts[KNOWN];

void
trace_take(struct trace *trace, int skip)
{
	void *frames[FRAMES + 8];
	int n = backtrace(frames, FRAMES + 8);

	trace->n = 0;
	for (int i = skip; i < n && trace->n < FRAMES; i++) {
		Dl_info info;
		const char *name = "?", *symbol = NULL;
		size_t offset = 0;

		/* A return address may be behind the end of a function that does not return. */
		if (dladdr((char *)frames[i] - 1, &info) != 0) {
			name = strrchr(info.dli_fname, '/');
			name = name == NULL ? info.dli_fname : name + 1;
			symbol = info.dli_sname;
			offset = (size_t)((char *)frames[i] - (char *)info.dli_fbase);
		}
		trace->frames[trace->n].offset = offset;
		snprintf(trace->frames[trace->n].object, sizeof(trace->frames[0].object), "%s", name);
		snprintf(trace->frames[trace->n].symbol, sizeof(trace->frames[0].symbol), "%s",
		    symbol == NULL ? "?" : symbol);
		trace->n++;
	}
}

static bool
is_ours(const char *object)
{
	return strcmp(object, "witness.so") == 0 || strcmp(object, "exhaust") == 0 || strcmp(object, "lt-exhaust") == 0;
}

static bool
is_plain(const char *object)
{
	return strncmp(object, "libc.", 5) == 0 || is_ours(object);
}

/* The frames of the library that is to blame, innermost first: from *first on; how many, 0: it is ours. */
static int
culprit(const struct trace *trace, int *first)
{
	int i = 0, n = 0;

	/* The heap itself is part of the program, and libc's strdup() calls it for anybody. */
	while (i < trace->n && is_plain(trace->frames[i].object))
		i++;
	*first = i;
	if (i == trace->n)
		return 0;
	/* pthread_once() is on the way back into it. */
	while (i + n < trace->n && (strcmp(trace->frames[i + n].object, trace->frames[i].object) == 0 ||
				       strncmp(trace->frames[i + n].object, "libc.", 5) == 0))
		n++;
	return n;
}

/* NULL: nothing that is known. */
static const struct known *
find_known(const char *what, const struct trace *trace)
{
	int first, n = culprit(trace, &first);

	for (size_t j = 0; n > 0 && j < KNOWN; j++) {
		bool below = false;

		for (int i = first; i < first + n; i++)
			below = below || strcmp(known[j].below, trace->frames[i].symbol) == 0;
		if (below && strcmp(known[j].what, what) == 0 &&
		    strcmp(known[j].object, trace->frames[first].object) == 0 &&
		    (known[j].inner == NULL || strcmp(known[j].inner, trace->frames[first].symbol) == 0))
			return &known[j];
	}
	return NULL;
}

static void
tell(const char *what, const struct trace *trace)
{
	const struct known *found = find_known(what, trace);
	char text[1200] = "";

	if (found != NULL) {
		counts[found - known]++;
		return;
	}
	for (int i = 0; i < trace->n && strlen(text) < sizeof(text) - 120; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " < %s:%s+%zx", trace->frames[i].object,
		    trace->frames[i].symbol, trace->frames[i].offset);
	complain("%s%s", what, text);
}

void
report_crash(void)
{
	tell("crash", &page->crash);
}

void
report_leaks(void)
{
	for (size_t i = 0; i < page->ntraces; i++)
		tell("leak", &page->traces[i]);
}

void
report_counts(void)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (counts[i] > 0)
			printf("# %lu times the library's own: %s in %s, below %s: %s\n", counts[i], known[i].what,
			    known[i].object, known[i].below, known[i].why);
	memset(counts, 0, sizeof(counts));
}
