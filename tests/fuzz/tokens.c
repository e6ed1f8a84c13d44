/* SPDX-License-Identifier: MIT */
#include "tokens.h"
#include "base/json.h"
#include "base/json_write.h"

#include <json-c/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EDITS 6
#define VALUE_MAX 400

/* --- making ----------------------------------------------------------------------------------- */

/* One member; an edit replaces its value. */
struct member {
	char part; /* 'h' or 'c' */
	const char *name;
	char value[2 * VALUE_MAX];
};

#define MEMBERS 24

static const char *const words[] = { "null", "true", "false", "0", "1", "-1", "-0", "1.5", "1e3", "9007199254740992",
	"9007199254740993", "99999999999999999999", "\"\"", "\"alice\"", "\"alice@x\"", "\"bob\"", "\"root\"",
	"\"Alice\"", "\"alic\"", "\"alicee\"", "\"\\u0061lice\"", "\"alice\\u0000\"", "\"iss.example\"",
	"\"old.example\"", "\"iss.example.org\"", "\"host.example\"", "\"HOST.example\"", "\"host2.example\"",
	"[\"host.example\"]", "[\"a\",\"host.example\",\"b\"]", "[\"host.example\",1]", "[]", "[\"host.example.org\"]",
	"\"ssh\"", "\"ssh sudo\"", "\"sudo\"", "\"ssh  sudo\"", "\"sshd\"", "\"s\"", "{}", "{\"a\":[1,{\"b\":null}]}",
	"\"login+jwt\"", "\"application/LOGIN+jwt\"", "\"JWT\"", "\"jwt\"", "\"none\"", "\"HS256\"", "\"ES256\"",
	"\"EdDSA\"", "\"RS256\"", "\"B.1\"", "\"B.2\"", "\"B.3\"", "\"B.4\"", "\"B.0\"", "\"B.01\"", "\"B\"", "\"C.1\"",
	"\"B.2147483648\"", "\"../1\"", "\"revoked\"", "\"mallory\"", "[\"exp\"]", "{\"kid\":\"" TOKENS_KEY "\"}",
	"{\"kid\":\"" TOKENS_KEY "\",\"jkt\":\"x\"}", "{\"kid\":\"" TOKENS_OTHER_KEY "\"}", "[\"192.0.2.0/24\"]",
	"[\"10.0.0.0/8\",\"::/0\",\"192.0.2.7/32\"]", "[\"192.0.2.7/24\"]", "[\"192.0.2.8/32\",\"::/0\"]",
	"[\"0.0.0.0/0\"]" };
static const char *const names[] = { "hdralg", "hdrkid", "hdrtyp", "hdrcrit", "hdrb64", "hdrzip", "hdrcty", "hdrjwk",
	"hdrjku", "hdrx5c", "hdrx5u", "hdrx5t", "hdrx5t#S256", "hdrother", "clmiss", "clmsub", "clmaud", "clmiat",
	"clmexp", "clmnbf", "clmjti", "clmscope", "clmonce", "clmcnf", "clmsrc", "clmname", "clmother" };

#define COUNT(table) ((unsigned)(ARRAY_LEN(table)))

/* Seconds from now: around each limit of the usual configuration. */
static const int64_t moments[] = { 0, 1, -1, 29, 30, 31, -29, -30, -31, 60, -60, 299, 300, 301, -270, -300, 330, 3600,
	3601, -3600, 3569, 7200, -7200, 86400, -86400, 86430 };

static void
put_value(struct rest *rest, const struct recipe *recipe, struct member *m, bool *plain)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct view bytes;

	switch (take_below(rest, 5)) {
	case 0:
		m->value[0] = '\0'; /* taken away */
		break;
	case 1:
		snprintf(m->value, sizeof(m->value), "%s", words[take_below(rest, COUNT(words))]);
		/* Both refuse more than the member that they stand in. */
		*plain = *plain && strstr(m->value, "u0000") == NULL && strcmp(m->value, "-0") != 0;
		break;
	case 2:
		snprintf(m->value, sizeof(m->value), "%lld",
		    (long long)(recipe->now_s + moments[take_below(rest, COUNT(moments))]));
		break;
	case 3: /* as the input has it */
		bytes = take_bytes(rest, VALUE_MAX);
		snprintf(m->value, sizeof(m->value), "%.*s", (int)bytes.n, bytes.p);
		*plain = false;
		break;
	default: /* a string of its own */
		bytes = take_bytes(rest, VALUE_MAX / 6);
		json_open_array(&text, "");
		json_put_string(&text, NULL, bytes);
		text.p[text.n] = '\0';
		snprintf(m->value, sizeof(m->value), "%s", strchr(text.p, '[') + 1);
		*plain = false;
	}
}

static struct member *
member_of(struct member members[static MEMBERS], const char *name)
{
	size_t i = 0;

	while (i < MEMBERS - 1 && members[i].name != NULL &&
	       (members[i].part != name[0] || strcmp(members[i].name, name + 3) != 0))
		i++;
	members[i].part = name[0];
	members[i].name = name + 3;
	return &members[i];
}

static void
set(struct member members[static MEMBERS], const char *name, const char *value)
{
	snprintf(member_of(members, name)->value, sizeof(members->value), "%s", value);
}

static void
put_part(struct buf *out, char part, const struct member members[static MEMBERS])
{
	const char *comma = "";

	buf_adds(out, "{");
	for (size_t i = 0; i < MEMBERS && members[i].name != NULL; i++) {
		if (members[i].part != part || members[i].value[0] == '\0')
			continue;
		buf_addf(out, "%s\"%s\":%s", comma, members[i].name, members[i].value);
		comma = ",";
	}
	buf_adds(out, "}");
}

/* Bytes taken out, and others put there. */
static void
splice(struct rest *rest, struct buf *text)
{
	RJWT_CLEAN(buf_clear) struct buf made = { 0 };
	size_t at = text->n == 0 ? 0 : take_word(rest) % (text->n + 1), out = take_below(rest, 16);
	struct view in = take_bytes(rest, 5000), all = buf_view(text);

	out = out < all.n - at ? out : all.n - at;
	buf_add(&made, all.p, at);
	buf_add_view(&made, in);
	buf_add(&made, all.p + at + out, all.n - at - out);
	buf_clear(text);
	*text = made;
	made = (struct buf){ 0 };
}

static void
compose(struct rest *rest, const struct recipe *recipe, struct token *token)
{
	struct member members[MEMBERS] = { { 0, NULL, "" } };
	const char *alg = recipe->signer->alg->name;
	char text[64];
	unsigned edits;

	snprintf(text, sizeof(text), "\"%s\"", alg);
	set(members, "hdralg", text);
	snprintf(text, sizeof(text), "\"%.60s\"", recipe->kid);
	set(members, "hdrkid", text);
	set(members, "hdrtyp", "\"login+jwt\"");
	set(members, "clmiss", "\"iss.example\"");
	set(members, "clmsub", "\"alice\"");
	set(members, "clmaud", "\"host.example\"");
	snprintf(text, sizeof(text), "%lld", (long long)recipe->now_s);
	set(members, "clmiat", text);
	snprintf(text, sizeof(text), "%lld", (long long)recipe->now_s + 300);
	set(members, "clmexp", text);
	set(members, "clmjti", "\"a1\"");
	set(members, "clmscope", "\"ssh\"");
	if (recipe->once)
		set(members, "clmonce", "true");
	edits = take_below(rest, EDITS + 1);
	for (unsigned i = 0; i < edits; i++)
		put_value(rest, recipe, member_of(members, names[take_below(rest, COUNT(names))]), &token->plain);
	put_part(&token->header, 'h', members);
	put_part(&token->claims, 'c', members);
}

void
token_make(struct rest *rest, const struct recipe *recipe, struct token *token)
{
	unsigned how = take_byte(rest);

	*token = (struct token){ .minted = true, .plain = true };
	if ((how & 3) == 3) { /* nobody's */
		token->minted = token->plain = false;
		buf_add_view(&token->text, take_bytes(rest, 20000));
		return;
	}
	compose(rest, recipe, token);
	if ((how & 4) != 0)
		splice(rest, &token->header);
	if ((how & 8) != 0)
		splice(rest, &token->claims);
	token->plain = token->plain && (how & 12) == 0;
	FUZZ_CHECK(
	    jws_sign(recipe->signer, buf_view(&token->header), buf_view(&token->claims), &token->text) == RJWT_OK);
	if ((how & 16) != 0) {
		RJWT_CLEAN(buf_clear) struct buf before = { 0 };

		buf_add_view(&before, buf_view(&token->text));
		splice(rest, &token->text);
		token->minted = view_eq(buf_view(&before), buf_view(&token->text));
		token->plain = token->plain && token->minted;
	}
}

void
token_clear(struct token *token)
{
	buf_clear(&token->text);
	buf_clear(&token->header);
	buf_clear(&token->claims);
}

/* --- judging ---------------------------------------------------------------------------------- */

static struct json_object *
read_json(const struct buf *text)
{
	struct json_tokener *tokener = json_tokener_new_ex(32);
	struct json_object *object = text->n == 0 ? NULL : json_tokener_parse_ex(tokener, text->p, (int)text->n);

	json_tokener_free(tokener);
	if (json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

static const char *
string_of(struct json_object *object, const char *name)
{
	struct json_object *member = json_object_object_get(object, name);

	if (!json_object_is_type(member, json_type_string) ||
	    strlen(json_object_get_string(member)) != (size_t)json_object_get_string_len(member))
		return NULL;
	return json_object_get_string(member);
}

static bool
has(struct json_object *object, const char *name)
{
	return json_object_object_get_ex(object, name, NULL);
}

#define TIME_MAX 9007199254740992.0

/* Others' may have a fraction. */
static bool
time_of(struct json_object *object, const char *name, bool foreign, double *at_s)
{
	struct json_object *member = json_object_object_get(object, name);

	*at_s = json_object_get_double(member);
	return (json_object_is_type(member, json_type_int) ||
		   (foreign && json_object_is_type(member, json_type_double))) &&
	       *at_s >= 0 && *at_s <= TIME_MAX;
}

static bool
names_host(struct json_object *aud, const char *host)
{
	if (json_object_is_type(aud, json_type_string))
		return strcmp(json_object_get_string(aud), host) == 0;
	if (!json_object_is_type(aud, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(aud); i++) {
		struct json_object *one = json_object_array_get_idx(aud, i);

		if (!json_object_is_type(one, json_type_string))
			return false;
	}
	for (size_t i = 0; i < json_object_array_length(aud); i++)
		if (strcmp(json_object_get_string(json_object_array_get_idx(aud, i)), host) == 0)
			return true;
	return false;
}

/* Words of 1 to 32, with one space between them. */
static bool
is_scope(const char *scope)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/-";

	for (;;) {
		size_t n = strspn(scope, letters);

		if (n == 0 || n > 32 || (scope[n] != ' ' && scope[n] != '\0'))
			return false;
		if (scope[n] == '\0')
			return true;
		scope += n + 1;
	}
}

static bool
has_word(const char *scope, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = scope; p != NULL; p = strchr(p, ' ') == NULL ? NULL : strchr(p, ' ') + 1)
		if (strncmp(p, word, n) == 0 && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static bool
header_may_pass(struct json_object *header, const struct asked *asked)
{
	static const char *const never[] = { "crit", "b64", "zip", "cty", "jwk", "jku", "x5c", "x5u" };
	static const char *const never_ours[] = { "x5t", "x5t#S256" };
	const char *alg = string_of(header, "alg"), *kid = string_of(header, "kid");
	const char *typ = string_of(header, "typ");

	for (unsigned i = 0; i < COUNT(never); i++)
		if (has(header, never[i]))
			return false;
	for (unsigned i = 0; i < COUNT(never_ours); i++)
		if (!asked->foreign && has(header, never_ours[i]))
			return false;
	if (alg != NULL && asked->foreign && strcmp(alg, "Ed25519") == 0) /* RFC 9864 */
		alg = "EdDSA";
	if (alg == NULL || strcmp(alg, asked->alg) != 0 || kid == NULL || strcmp(kid, asked->kid) != 0)
		return false;
	if (typ == NULL)
		return !has(header, "typ") && strcmp(asked->typ, "JWT") == 0;
	if (strncasecmp(typ, "application/", 12) == 0 && typ[12] != '\0')
		typ += 12;
	return strcasecmp(typ, asked->typ) == 0;
}

#define FINE_S 0.000001 /* a double has no more of a time of day */

static bool
times_may_pass(struct json_object *claims, const struct asked *asked, struct said *said)
{
	double exp_s, iat_s, nbf_s = 0, now_s = (double)asked->now_s, leeway_s = (double)asked->leeway_s;

	if (!time_of(claims, "exp", asked->foreign, &exp_s) || !time_of(claims, "iat", asked->foreign, &iat_s) ||
	    (has(claims, "nbf") && !time_of(claims, "nbf", asked->foreign, &nbf_s)))
		return false;
	said->iat_s = (int64_t)iat_s;
	return now_s < exp_s + leeway_s && iat_s <= now_s + leeway_s && nbf_s <= now_s + leeway_s && exp_s > iat_s &&
	       exp_s - iat_s <= (double)asked->max_lifetime_s + FINE_S;
}

static bool
user_may_pass(struct json_object *claims, const struct asked *asked, struct said *said)
{
	const char *user = string_of(claims, asked->user_claim), *sub = string_of(claims, "sub");
	size_t n = user == NULL ? 0 : strlen(user), suffix = strlen(asked->user_suffix);
	char wanted[1024];

	if (user == NULL || (has(claims, "sub") && (sub == NULL || sub[0] == '\0')))
		return false;
	if (n > suffix && strcmp(user + n - suffix, asked->user_suffix) == 0)
		snprintf(said->user, sizeof(said->user), "%.*s", (int)(n - suffix), user);
	if (asked->user == NULL)
		return true;
	snprintf(wanted, sizeof(wanted), "%s%s", asked->user, asked->user_suffix);
	return asked->user[0] != '\0' && strcmp(user, wanted) == 0;
}

/* Whether one IPv4 range has TOKENS_SOURCE, and none is of a form that this does not know. */
static bool
ranges_have_source(struct json_object *src)
{
	size_t n = json_object_is_type(src, json_type_array) ? json_object_array_length(src) : 0;
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(src, i));
		unsigned a, b, c, d, bits, range, mask;
		char more;

		if (text != NULL && strchr(text, ':') != NULL)
			continue;
		if (text == NULL || sscanf(text, "%u.%u.%u.%u/%u%c", &a, &b, &c, &d, &bits, &more) != 5 || bits > 32)
			return false;
		mask = bits == 0 ? 0 : ~0U << (32 - bits);
		range = a << 24 | b << 16 | c << 8 | d;
		if ((range & ~mask) != 0)
			return false;
		found = found || range == (0xc0000207U & mask);
	}
	return found;
}

static bool
origin_may_pass(struct json_object *claims, const struct asked *asked)
{
	struct json_object *cnf = json_object_object_get(claims, "cnf");
	const char *kid = json_object_is_type(cnf, json_type_object) ? string_of(cnf, "kid") : NULL;

	if (has(claims, "cnf") &&
	    (!asked->origin || kid == NULL || strcmp(kid, TOKENS_KEY) != 0 || json_object_object_length(cnf) != 1))
		return false;
	return !has(claims, "src") || (asked->origin && ranges_have_source(json_object_object_get(claims, "src")));
}

/* {"sub": a name} alone; whether the name has control characters is left to the verifier. */
static bool
actor_may_pass(struct json_object *claims, const struct asked *asked)
{
	struct json_object *act = json_object_object_get(claims, "act");
	const char *sub = json_object_is_type(act, json_type_object) ? string_of(act, "sub") : NULL;

	return !has(claims, "act") || asked->foreign ||
	       (sub != NULL && sub[0] != '\0' && strlen(sub) <= 255 && json_object_object_length(act) == 1);
}

/* A scope of another form has no words; where none is asked for, others may have it. */
static bool
scope_may_pass(struct json_object *claims, const struct asked *asked)
{
	struct json_object *member = json_object_object_get(claims, "scope");
	const char *scope = string_of(claims, "scope");

	if (!has(claims, "scope"))
		return asked->scope == NULL;
	if (scope == NULL || !is_scope(scope))
		return asked->scope == NULL && asked->foreign &&
		       (json_object_is_type(member, json_type_string) || json_object_is_type(member, json_type_array));
	return asked->scope == NULL || has_word(scope, asked->scope);
}

static bool
claims_may_pass(struct json_object *claims, const struct asked *asked, struct said *said)
{
	struct json_object *once = json_object_object_get(claims, "once");
	const char *iss = string_of(claims, "iss"), *jti = string_of(claims, "jti");

	if (iss == NULL || !actor_may_pass(claims, asked) || !origin_may_pass(claims, asked) ||
	    !times_may_pass(claims, asked, said) || !user_may_pass(claims, asked, said))
		return false;
	if ((has(claims, "once") && !json_object_is_type(once, json_type_boolean)) ||
	    (has(claims, "jti") && (jti == NULL || jti[0] == '\0' || strlen(jti) > 128)) ||
	    !scope_may_pass(claims, asked))
		return false;
	said->once = asked->once_always || json_object_get_boolean(once);
	if (said->once && jti == NULL)
		return false;
	snprintf(said->iss, sizeof(said->iss), "%s", iss);
	snprintf(said->jti, sizeof(said->jti), "%s", jti == NULL ? "" : jti);
	said->elsewhere =
	    strcmp(iss, asked->issuer) != 0 || !names_host(json_object_object_get(claims, "aud"), asked->audience);
	return !said->elsewhere;
}

bool
token_may_pass(const struct token *token, const struct asked *asked, struct said *said)
{
	struct json_object *header, *claims;
	bool may;

	*said = (struct said){ .once = false };
	if (!token->minted)
		return false;
	header = read_json(&token->header);
	claims = read_json(&token->claims);
	may =
	    header != NULL && claims != NULL && header_may_pass(header, asked) && claims_may_pass(claims, asked, said);
	json_object_put(header);
	json_object_put(claims);
	return may;
}
