#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fleet_rules.py [OPTION]... BUILD -- CC FLAG... - each rule of a fleet is taken away from the library, and fleet.py is to
find out.

A rule has a history that needs it, as far as one is known, and an edit of lib/: what is there, and what is in its place.
make model-rules says how to compile and link.

    --seconds N     of processor time for each rule; 60
    --jobs N        rules at once
    --known         play the history of the table alone: seconds for all of them
    --only TEXT     rules whose name contains it
    --seed N        of the first history of each

TAP on stdout, and a table: histories and seconds until a rule was missed. One that is not missed fails, unless it stands
in the list as kept for safety: then another rule holds the same.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

SAFETY = "safety"
F, K, T = "lib/fleet/", "lib/keyset/", "lib/token/"

RULES = [
    ("n only grows",
        "sync 0 0; full 0 0; sync 0 0; full 0 0; some 0 21; some 0 26; some 0 31; some 0 36; some 0 41", [(F + "offer.c", "int64_t n = now.n;", "int64_t n = 0;")]),
    ("a roster is signed by a key of the roster before it",
        "roll 0 0; forgeroster 0 4; full 0 0", [(F + "offer.c",
        "line->roster != NULL && roster_has_key(by, &line->signer);", "line->roster != NULL && by != NULL;")]),
    ("key rolls are walked, lowest n first",
        "roll 0 0; forgeroster 0 4; full 0 0", [(F + "offer.c", "return a_n < b_n ||", "return a_n > b_n ||")]),
    ("of two rosters of one n neither is taken", None, [(F + "offer.c", "if (!is_taken(fleet, line) && note_fork(",
        "if (is_taken(fleet, line) && note_fork(")], SAFETY),
    ("a bundle is believed by the key of the present roster",
        "forgeroster 0 1; full 0 0", [(F + "offer.c",
        "add_bundles(&r, line, offer_roster(&found, fleet))", "add_bundles(&r, line, &fleet->roster)")]),
    ("what is installed was signed by the key of the present roster",
        "mint 0 11; forgeroster 0 1; full 0 0; settle 0 0", [
        (F + "fleet.c", "strcmp(keyset->followed.key, (*issuer)->key.text) != 0 ||", ""),
        (F + "install.c", "if (strcmp(k->followed.key, t->issuer->key.text) != 0)", "if (t->issuer == NULL)")]),
    ("a bundle key is for the base of its entry alone",
        "steal 0 0; forge 0 3; full 0 0; settle 0 0", [(F + "offer.c", "if (strcmp(found.base, issuer->base) != 0)",
        "if (found.base[0] == 0)")]),
    ("the serial grows",
        "publish 0 0; full 0 0; some 0 23; some 0 28; some 0 33; some 0 38; some 0 43; settle 0 0", [(F + "install.c",
        "if (bundle->serial < k->followed.serial || (bundle->serial == k->followed.serial && has_keys(t)))",
        "if (bundle->serial == k->followed.serial && has_keys(t))")]),
    ("the versions of a keyset never go back",
        "mint 0 11; backup 0 0; kid 0 0; beat 0 0; restore 0 0; publish 0 0; full 0 0", [(F + "install.c",
        "if (bundle->floor < k->floor || bundle->active.version < k->active.version ||\n"
        "		 bundle->next.version < k->next.version || bundle->next_version < k->next_version)", "if (bundle == NULL)")]),
    ("a version has one public key",
        "backup 0 0; wait 4 0; rotate 0 0; beat 0 0; restore 0 0; wait 4 0; rotate 0 0; wait 4 0; rotate 0 0; full 0 0; settle 0 0", [(F + "install.c", "*why = conflicts ?",
        "*why = bundle == NULL ?")]),
    ("denials before keyset.json",
        "mint 0 11; sub 0 6; crash 12 0; crash 24 0; crash 36 0; crash 48 0", [(F + "install.c", "	RJWT_TRY(put_denials(t, bundle));\n	for", "	for"),
        (F + "install.c", "	return dir_each(&t->keys, sweep_key,", "	RJWT_TRY(put_denials(t, bundle));\n	return dir_each(&t->keys, sweep_key,")]),
    ("keys before keyset.json",
        "rotate 0 0; mint 0 11; wait 3 0; rotate 0 0; mint 0 11; crash 24 0", [(F + "install.c", "	for (size_t i = 0; i < bundle->nkeys; i++)\n"
        "		RJWT_TRY(put_key(t, &ctx, &bundle->keys[i]));\n	fill(t, bundle, &next);\n	RJWT_TRY(commit(t, &ctx, &next));",
        "	fill(t, bundle, &next);\n	RJWT_TRY(commit(t, &ctx, &next));\n	for (size_t i = 0; i < bundle->nkeys; i++)\n"
        "		RJWT_TRY(put_key(t, &ctx, &bundle->keys[i]));")]),
    ("keys are removed after keyset.json",
        "mint 0 11; all 0 0; crash 0 2; settle 0 0", [(F + "install.c", "	RJWT_TRY(commit(t, &ctx, &next));\n	return dir_each(&t->keys, sweep_key, &s, t->ctx->env->diag);",
        "	RJWT_TRY(dir_each(&t->keys, sweep_key, &s, t->ctx->env->diag));\n	return commit(t, &ctx, &next);")]),
    ("an install adds denials",
        "mint 0 11; backup 0 0; sub 0 6; beat 0 0; restore 0 0; publish 0 0; full 0 0", [(F + "install.c", "	RJWT_TRY(put_list(t, &denials.sub,",
        "	RJWT_TRY(dir_each(&denials.sub, forget, &denials.sub, NULL));\n	RJWT_TRY(dir_each(&denials.jti, forget, &denials.jti, NULL));\n"
        "	RJWT_TRY(put_list(t, &denials.sub,"), (F + "install.c", "/* Denials are added, never replaced",
        "static enum rjwt_err\nforget(void *context, const char *name)\n{\n	return file_remove(context, name, NULL);\n}\n\n/* Denials are added, never replaced")]),
    ("of two dates of a denial the later stays",
        "mint 0 11; sub 0 6; backup 0 0; wait 3 0; mint 0 11; sub 0 6; beat 0 0; restore 0 0; publish 0 0; full 0 0", [(K + "denials_write.c", "there_s >= until_s)", "there_s == until_s)")]),
    ("a dropped issuer verifies nothing, from the roster's commit on",
        "mint 0 11; drop 0 0; crash 0 16", [(F + "fleet.c",
        "	if (*issuer == NULL)\n		return RJWT_KEY_UNKNOWN;\n	RJWT_TRY(current(r, (*issuer)->base, &found, diag));\n	keyset = store_keyset(found->store);",
        "	static struct fleet_issuer gone;\n	bool dropped = *issuer == NULL && base.n <= KEYSET_BASE_MAX;\n\n	if (dropped) {\n		gone = (struct fleet_issuer){ 0 };\n"
        "		memcpy(gone.base, base.p, base.n);\n		*issuer = &gone;\n	}\n	if (*issuer == NULL)\n		return RJWT_KEY_UNKNOWN;\n"
        "	RJWT_TRY(current(r, (*issuer)->base, &found, diag));\n	keyset = store_keyset(found->store);\n	if (dropped) {\n"
        "		memcpy(gone.iss, keyset->issuer, sizeof(gone.iss));\n		memcpy(gone.key.text, keyset->followed.key, sizeof(gone.key.text));\n	}")]),
    ("the directory of a dropped issuer stays",
        "mint 0 11; sub 0 6; full 0 0; drop 0 0; full 0 0; return 0 0; some 0 23; some 0 28; some 0 33; full 0 0", [(F + "prune.c", "	return dir_each(&keys, remove_key, &p, ctx->env->diag);",
        "	RJWT_TRY(file_remove(&dir, \"keyset.json\", NULL));\n	return dir_each(&keys, remove_key, &p, ctx->env->diag);")]),
    ("the denials of a dropped issuer become the host's own",
        "mint 4 11; sub 0 6; full 0 0; drop 0 0; full 0 0; settle 0 0", [(F + "follow.c",
        "if (roster_find(&offered->roster, view_of(base)) == NULL)\n			RJWT_TRY(inherit(", "if (base == NULL)\n			RJWT_TRY(inherit(")]),
    ("... dated as of the roster",
        "steal 0 0; forge 0 1; full 0 0; drop 0 0; full 0 0; settle 0 0", [(F + "follow.c", "until_s < i->most_s ? until_s : i->most_s", "until_s")]),
    ("the time of a directory is that of its bundle at least", None, [(T + "check_jws.c",
        "if (w->keyset->followed.issued_s > w->now.wall_s)", "if (w->keyset == NULL)")], SAFETY),
    ("what is stale verifies nothing",
        "mint 0 11; wait 9 0; mint 0 11", [(T + "check_claims.c", "return check_judge(w, age_s <= max_s, expected,",
        "return check_judge(w, true, expected,")]),
    ("what was issued before born is spent",
        "mint 0 11; login 0 11; lose 0 0; full 0 0; login 0 11; settle 0 0", [(T + "check_claims.c",
        "if (w->issuer != NULL && w->claims.iat_s <= remembered_s(w))", "if (w->issuer != NULL && w->claims.iat_s < 0)")]),
    ("born has the leeway",
        "mint 0 11; login 0 11; near 3 2; lose 0 0; full 0 0; login 0 11", [(T + "check_claims.c", "return born_s + w->verifier->config->rotation.leeway_s;", "return born_s;")]),
    ("who makes spent/ writes born",
        "mint 0 11; login 0 11; lose 0 0; full 0 0; login 0 11; settle 0 0", [(F + "install.c", "if (!t->there || t->reborn)", "if (!t->there)"),
        (F + "install.c", "	next.followed.born_s = time_of(t, next.followed.issued_s);\n", "")]),
    ("a born that lies ahead is written again",
        "clock 3 3; lose 0 0; publish 0 0; full 0 0; clock 3 0; settle 0 0", [(F + "install.c",
        " ||\n	       k->followed.born_s > now_s + t->ctx->env->policy->leeway_s;", ";\n	(void)now_s;"),
        (F + "follow.c", "ctx->fleet->born_s <= ctx->now.wall_s + ctx->env->policy->leeway_s;",
        "ctx->fleet->born_s >= 0;")]),
    ("without spent/ there is no verdict",
        "mint 0 11; login 0 11; lose 0 0; login 0 11; settle 0 0", [(K + "marks.c", "	RJWT_TRY(open_spent(marks, &spent, diag));\n	RJWT_TRY(count_uses(",
        "	if (open_spent(marks, &spent, diag) != RJWT_OK)\n		return RJWT_OK;\n	RJWT_TRY(count_uses("),
        (K + "marks.c", "	RJWT_TRY(hold_spent(marks, version, subdir, diag));",
        "	if (hold_spent(marks, version, subdir, diag) != RJWT_OK)\n		return RJWT_OK;")]),
    ("an image of a joined host verifies nothing",
        "mint 0 11; image 0 0; login 0 11", [(F + "fleet.c", "	RJWT_TRY(check_machine(r, &r->fleet, &r->why));\n", "	(void)check_machine;\n")]),
    ("an image is another host, and remembers nothing",
        "mint 1 11; login 1 11; image 0 0; full 1 0; login 1 11", [(F + "follow.c",
        "	next.born_s = ctx->now.wall_s;\n", "	if (strcmp(ctx->fleet->machine, machine) == 0)\n		next.born_s = ctx->now.wall_s;\n"),
        (F + "install.c", " || strcmp(k->machine, t->ctx->fleet->machine) != 0 ||", " ||")]),
    ("without denied/ there is no verdict",
        "mint 4 11; sub 0 6; full 0 0; drop 0 0; full 0 0; losedenied 0 0; settle 0 0", [(K + "denials.c", "	RJWT_TRY(dir_enter_at(dir, \"denied\", &denied, diag));\n	if (question",
        "	if (dir_enter_at(dir, \"denied\", &denied, diag) != RJWT_OK)\n		return RJWT_OK;\n	if (question")]),
    ("denials are removed by the time of every issuer",
        "mint 0 11; sub 0 6; full 0 0; clock 3 3; prune 0 0; clock 3 0; full 0 0", [(F + "prune.c", "else if (keyset->followed.issued_s < p->limit_s)",
        "else if (keyset->followed.issued_s < 0)"), (T + "check_claims.c", "if (limit_s > 0 && w->claims.iat_s <= limit_s)", "if (limit_s < 0)")]),
    ("... and of the host's clock",
        "mint 0 11; sub 0 6; full 0 0; ntp 0 3; publish 0 0; publish 1 0; publish 2 0; full 0 0; prune 0 0; ntp 0 0; publish 0 0; publish 1 0; publish 2 0; full 0 0", [(F + "prune.c", "p->limit_s = p->ctx->now.wall_s;", "p->limit_s = INT64_MAX / 2;"),
        (T + "check_claims.c", "if (limit_s > 0 && w->claims.iat_s <= limit_s)", "if (limit_s < 0)")]),
    ("a denial that was removed leaves `before`",
        "mint 0 11; sub 0 6; full 0 0; ntp 0 3; clock 3 3; publish 0 0; publish 1 0; publish 2 0; full 0 0; prune 0 0; ntp 0 0; clock 3 0; publish 0 0; publish 1 0; publish 2 0; full 0 0", [(T + "check_claims.c", "if (limit_s > 0 && w->claims.iat_s <= limit_s)",
        "if (limit_s < 0)")]),
    ("a new directory begins with `before`", None, [(F + "install.c",
        "t->keyset.followed.before_s = first_before(t, bundle->iat_s);", "(void)first_before;")], SAFETY),  # test_before
    ("`before` of a directory whose issuer is not listed is raised, too",
        "mint 4 11; sub 0 6; full 0 0; drop 1 0; full 0 0; ntp 0 3; clock 3 3; publish 0 0; publish 1 0; publish 2 0; full 0 0; prune 0 0; ntp 0 0; clock 3 0; return 1 0; hear 1 0; publish 0 0; publish 1 0; publish 2 0; full 0 0; settle 0 0", [(F + "prune.c",
        "	if (store_is_missing(path))", "	if (store_is_missing(path) || roster_find(&p->ctx->fleet->roster, view_of(base)) == NULL)")]),
    ("an issuer stops at a line that another wrote",
        "backup 0 0; wait 3 0; rotate 0 0; beat 0 0; restore 0 0; publish 0 0; hear 0 0; full 0 0; settle 0 0", [(F + "own.c", "	*foreign = !ours;\n	if (!ours ||",
        "	*foreign = false;\n	if (own != NULL ||")]),
    ("... whose serial or bytes are not its own",
        "clock 0 3; backup 0 0; publish 0 0; beat 0 0; restore 0 0; clock 0 0; settle 0 0", [(F + "own.c", "	*foreign = !ours;", "	ours = true;\n	*foreign = !ours;")]),
    ("... that is ahead of its keyset",
        "backup 0 0; wait 3 0; rotate 0 0; beat 0 0; restore 0 0; publish 0 0; hear 0 0; full 0 0; settle 0 0", [(F + "own.c", "	*foreign = bundle->floor > k->floor ||",
        "	if (own != NULL)\n		return RJWT_OK;\n	*foreign = bundle->floor > k->floor ||")]),
    ("the keyset of another machine is not published",
        "clone 0 0; settle 0 0", [(F + "publish.c", "	RJWT_TRY(store_check_machine(store, diag));\n	if (record->stopped",
        "	if (record->stopped")]),
    ("a serial is used up durably before its line is out",
        "publish 24 54; sub 0 6; settle 0 0", [(F + "record.c",
        "return file_write(private, RECORD, 0600, buf_view(&text), NULL, diag);",
        "return file_write_later(private, RECORD, 0600, buf_view(&text), NULL, diag);")]),
    ("the serial is the time at least",
        "backup 0 0; sub 0 0; publish 0 0; restore 0 0; publish 0 0; settle 0 0", [(F + "publish.c",
        "bundle->serial = record->serial + 1 > bundle->iat_s ? record->serial + 1 : bundle->iat_s;", "bundle->serial = record->serial + 1;")]),
    ("the number of a roster is used up before it is out",
        "wait 0 0; settle 0 0", [(F + "change_roster.c", "(c->fleet.used_n > n ? c->fleet.used_n : n) + 1", "n"),
        (F + "change_roster.c", "roster->n = least_n > now.wall_s ? least_n : now.wall_s;", "roster->n = now.wall_s;")]),
    ("--compromised makes a new base and a new bundle key",
        "steal 0 0; forge 0 0; settle 0 0", [("lib/keep.c",
        "return issues && (flags & RJWT_DRY_RUN) == 0 ? begin_anew(h, done, diag) : RJWT_OK;",
        "return issues && done == NULL ? begin_anew(h, done, diag) : RJWT_OK;")]),
    ("a new base has a new bundle key",
        "steal 0 0; compromised 0 1", [(F + "keys.c", "	return begin_key(&private, base, &record, &key, diag);",
        "	(void)begin_key;\n	(void)key;\n	if (record.base[0] == '\\0')\n		return RJWT_OK;\n	record_begin(&record, base);\n	return record_write(&private, &record, diag);")]),
    ("a new base dates the denials of its issuer back",
        "ntp 0 3; beat 0 0; wait 7 0; beat 0 0; sub 0 0; beat 0 0; ntp 0 0; settle 0 0", [(F + "make.c", "	RJWT_TRY(denials_date_back(&denials.sub, most_s, diag));\n	return denials_date_back(&denials.jti, most_s, diag);",
        "	(void)most_s;\n	return RJWT_OK;")]),
    ("a key signs when it has been out for two minutes",
        "rotate 0 0; rotate 0 0; mint 0 0; settle 0 0", [(K + "plan.c", "	if (!policy->published)\n		return 0;", "	if (policy != NULL)\n		return 0;")]),
    ("... also by revoke --kid",
        "rotate 0 0; kid 0 0; mint 0 0; settle 0 0", [(K + "plan.c", "		RJWT_TRY(check_known(f, diag));\n		promote(before, plan);\n	} else", "		promote(before, plan);\n	} else")]),
    ("... also by revoke --all",
        "rotate 0 0; all 0 0; mint 0 0; settle 0 0", [(K + "plan.c", "	case WHY_REVOKE_ALL:\n		RJWT_TRY(check_known(f, diag));", "	case WHY_REVOKE_ALL:")]),
    ("... by time",
        "rotate 2 49; wait 6 0; maintain 2 0; mint 2 1", [(K + "plan.c", "else if (!plan->by_count && unknown_s(f->keyset, f->policy, f->now->wall_s) == 0)", "else if (!plan->by_count)")]),
    ("it is out when it is in www",
        "rotate 0 51; wait 3 0; rotate 0 0; mint 0 0; settle 0 0", [(K + "plan.c", "int64_t out_s = now_s - policy->out_s;", "int64_t out_s = now_s - keyset->next.published_s;"),
        (K + "plan.c", "if (policy->out != keyset->next.version || out_s < 0)", "if (out_s < 0)")]),
    ("a denial is dated after every token of this issuer",
        "clock 0 1; mint 0 11; clock 0 0; sub 0 6; beat 0 0; wait 6 0; settle 0 0", [("lib/fleet_deny.c", "*until_s += h->config", "*until_s = now.wall_s + h->config"),
        ("lib/fleet_deny.c", "if (keyset_clock_suspect(store_keyset(h->store), &h->config.rotation, now, NULL))", "if (now->wall_s < 0)")]),
    ("join with another key begins a chain",
        "roll 0 0; rejoin 0 0; full 0 0; settle 0 0", [(F + "join.c", "	fleet->pin = fleet->roster.keys[0] = *pin;\n	fleet->roster.nkeys = 1;",
        "	fleet->pin = *pin;\n	fleet->roster = there.roster;\n	memcpy(fleet->digest, there.digest, sizeof(there.digest));\n	if (fleet->roster.n == 0) {\n		fleet->roster.keys[0] = *pin;\n		fleet->roster.nkeys = 1;\n	}")]),
    ("a token has the iss of its entry",
        "steal 0 0; forge 0 0; full 0 0; thieftoken 0 0; full 0 0; settle 0 0", [(T + "check_claims.c", "return check_judge(w, view_is(w->claims.iss, w->issuer->iss), w->issuer->iss,",
        "return check_judge(w, true, w->issuer->iss,")]),
]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("command", nargs="+", help="CC FLAG...")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--known", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Rules:
    def __init__(self, given):
        self.given = given
        self.source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        self.top = tempfile.mkdtemp(prefix="rjwt-rules-")
        self.cc, *flags = given.command
        self.cc = self.cc.split()
        self.libs = [flag for flag in flags if flag.startswith("-l") or flag.endswith(".a")]
        self.links = [flag for flag in flags if flag.startswith("-Wl,")]
        self.flags = [flag for flag in flags if flag not in self.libs and flag not in self.links]

    def run(self, *command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False, cwd=self.given.build)
        if done.returncode != 0:
            raise SystemExit("%s\n%s" % (" ".join(command), done.stdout[-2000:]))

    def make(self, number, edits):
        """A folder with the program without that rule: objects before the libraries are in the place of theirs."""
        folder, texts = "%s/%d" % (self.top, number), {}
        os.makedirs(folder + "/tests/model")
        for name, there, instead in edits:
            if name not in texts:
                with open(os.path.join(self.source, name), encoding="utf-8") as file:
                    texts[name] = file.read()
            if texts[name].count(there) != 1:
                raise SystemExit("%s has this %d times:\n%s" % (name, texts[name].count(there), there))
            texts[name] = texts[name].replace(there, instead)
        objects = []
        for name, text in texts.items():
            path = "%s/%s" % (folder, name.replace("/", "_"))
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            self.run(*self.cc, *self.flags, "-w", "-I" + os.path.join(self.source, os.path.dirname(name)), "-c", path, "-o", path[:-2] + ".o")
            objects.append(path[:-2] + ".o")
        self.run(*self.cc, *self.links, "-o", folder + "/tests/model/fleet_host",
                 *("tests/model/fleet_%s.o" % part for part in ("host", "disk", "sign")), *objects, *self.libs)
        return folder

    def look(self, number):
        """(the line of the table, whether it is as it should be)"""
        name, history, edits, *kept = RULES[number]
        folder = self.make(number, edits)
        program = [sys.executable, self.source + "/tests/model/fleet.py", folder]
        seconds, seed = str(self.given.seconds), str(self.given.seed + number * 1000000)
        how = ["--history", history] if self.given.known else ["--seconds", seconds, "--seed", seed]
        text = subprocess.run(program + how, stdout=subprocess.PIPE, text=True, check=False).stdout
        shutil.rmtree(folder)
        if self.given.known:  # and with the rule nothing may be found
            twin = subprocess.run(program[:2] + [self.given.build] + how, stdout=subprocess.PIPE, text=True, check=False)
            if twin.returncode != 0:
                return "%s: its history fails with it, too: %s" % (name, twin.stdout), False
        return self.read(name, bool(kept), text)

    @staticmethod
    def read(name, kept, text):
        found = re.search(r"# found after (.*)\n", text)
        why = re.search(r"^not ok .*\n# (.*)", text, re.M)
        shrunk = re.search(r"# --history (.*)", text)
        ran = re.search(r"ok 1 - fleet: (.*)", text)
        if why:
            return "%-66s %s: %s%s" % (name, found.group(1) if found else "known", why.group(1),
                                       "\n# " + shrunk.group(1) if shrunk else ""), True
        return "%-66s not in %s%s" % (name, ran.group(1) if ran else text, " (kept for safety)" if kept else ""), kept


def main():
    given = options()
    rules = Rules(given)
    chosen = [i for i, rule in enumerate(RULES) if given.only in rule[0] and (rule[1] or not given.known)]
    print("1..%d" % len(chosen), flush=True)
    failed = 0
    try:
        with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
            for i, (line, good) in enumerate(pool.map(rules.look, chosen)):
                failed += not good
                print("%s %d - %s" % ("ok" if good else "not ok", i + 1, line), flush=True)
    finally:
        shutil.rmtree(rules.top)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
