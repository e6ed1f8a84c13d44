# SPDX-License-Identifier: MIT
"""
Mutation points of a C file: every condition and every operand of && and || inverted, forced or dropped,
every comparison moved by one, every call statement deleted, every RJWT_TRY() deaf, what a function of
type bool returns.

All mutants of a file are written into one text, each behind MUTANT(n), which is true in the run that asks
for mutant n: so a file is compiled once, and not once for each of them.
"""
import re

TOKEN = re.compile(r"""
	(?P<skip>\s+|//[^\n]*|/\*.*?\*/|^\#(?:[^\n\\]|\\.)*)
	|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
	|(?P<word>[A-Za-z_]\w*)
	|(?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
	|(?P<sign><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[][(){};,.?:=<>!~+*/%&|^-])
""", re.X | re.S | re.M)
CLOSES = {"(": ")", "[": "]", "{": "}"}
ASSIGN = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
# What ends an operand of each, to the left and to the right, beside brackets, commas and semicolons.
ENDS_LOGIC = ASSIGN | {"return", "?", ":", "&&", "||", "case"}
ENDS_CHOICE = ASSIGN | {"return", "?", ":", "case"}
EQUAL = {"==", "!="}
ENDS_EQUAL = ENDS_LOGIC | EQUAL | {"|", "^", "&"}
LESS = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<")}
ENDS_LESS = ENDS_EQUAL | set(LESS)
HEADS = {"if", "while", "for", "switch"}
KEYWORDS = HEADS | {"return", "sizeof", "else", "do", "case", "default", "goto", "break", "continue"}


class Mutant:
	"""One change. key names it without a line number: file, function, what is done, and to which text."""
	def __init__(self, number, file, line, function, kind, text):
		self.number, self.file, self.line, self.function = number, file, line, function
		self.kind, self.text, self.turn = kind, text, 1
		self.by, self.reached = None, False  # the test that killed it; whether one came to it

	@property
	def key(self):
		turn = "" if self.turn == 1 else " (%d)" % self.turn
		return "%s: %s: %s: %s%s" % (self.file, self.function, self.kind, self.text, turn)


class Source:
	"""A file, its mutants, and the text that holds them all."""
	def __init__(self, name, text, first):
		self.name, self.text = name, text
		self.tokens = []  # (kind, text, begin, end)
		self.sites = {}  # (begin, end) of tokens -> kinds of change
		self.mutants = []
		self.next = first
		self.scan()
		self.match()
		for begin, end, function, is_bool in self.bodies():
			self.function = function
			self.look(begin, end, is_bool)

	def scan(self):
		at = 0
		while at < len(self.text):
			found = TOKEN.match(self.text, at)
			if found is None:
				raise SystemExit("%s: not C at %r" % (self.name, self.text[at:at + 20]))
			if found.lastgroup != "skip":
				self.tokens.append((found.lastgroup, found.group(), at, found.end()))
			at = found.end()

	def match(self):
		self.other, stack = {}, []
		for i, (kind, text, _, _) in enumerate(self.tokens):
			if kind == "sign" and text in "([{":
				stack.append(i)
			elif kind == "sign" and text in ")]}":
				self.other[i] = stack.pop()
				self.other[self.other[i]] = i

	def at(self, i):
		return self.tokens[i][1] if 0 <= i < len(self.tokens) and self.tokens[i][0] != "text" else ""

	def bodies(self):
		"""(first token inside, closing brace, name, whether it returns bool) of each function"""
		i = start = 0
		while i < len(self.tokens):
			text = self.at(i)
			if text == "{" and self.at(i - 1) == ")":
				name = self.other[i - 1] - 1
				words = [self.at(j) for j in range(start, name)]
				yield i + 1, self.other[i], self.at(name), "bool" in words and "*" not in words
			if text in ("{", "(") and text:
				i = self.other[i]
			if self.at(i) in (";", "}"):
				start = i + 1
			i += 1

	def edge(self, i, step, ends):
		"""the last token of the operand that lies at one side of the operator i"""
		j = i + step
		while True:
			text = self.at(j)
			if step > 0 and text in CLOSES or step < 0 and text in CLOSES.values():
				j = self.other[j]
			elif text in ("(", "[", "{", ")", "]", "}", ",", ";", "else") or text in ends and \
			    not (text in ("&", "*", "|") and self.is_unary(j)):
				return j - step
			j += step

	def is_unary(self, i):
		kind, text = self.tokens[i - 1][:2]
		return not (kind in ("number", "text") or text in (")", "]") or
			kind == "word" and text not in KEYWORDS)

	def span(self, begin, end):
		return " ".join(self.text[self.tokens[begin][2]:self.tokens[end][3]].split())

	def site(self, begin, end, *kinds):
		if begin <= end:
			self.sites.setdefault((begin, end), {"function": self.function, "kinds": []})
			known = self.sites[begin, end]["kinds"]
			known.extend(k for k in kinds if k not in known)

	def look(self, begin, end, is_bool):
		for i in range(begin, end):
			kind, text = self.tokens[i][:2]
			if kind == "word" and text in ("if", "while") and self.at(i + 1) == "(":
				self.site(i + 2, self.other[i + 1] - 1, "inverted", "true", "false")
			elif kind == "word" and text == "for" and self.at(i + 1) == "(":
				self.look_for(i + 1)
			elif kind == "word" and text == "return" and is_bool:
				self.look_return(i)
			elif kind == "sign" and text == "?":
				self.site(self.edge(i, -1, ENDS_CHOICE - {"&&", "||"}), i - 1, "inverted", "true", "false")
			elif kind == "sign" and text in ("&&", "||"):
				neutral = "true" if text == "&&" else "false"
				for a, b in ((self.edge(i, -1, ENDS_LOGIC), i - 1), (i + 1, self.edge(i, 1, ENDS_LOGIC))):
					self.site(a, b, "inverted", neutral)
		for i in range(begin, end):
			if self.tokens[i][0] == "sign":
				self.look_compare(i)
			elif self.tokens[i][0] == "word":
				self.look_call(i)

	def look_for(self, open_):
		semicolons, i = [], open_ + 1
		while i < self.other[open_]:
			if self.at(i) in CLOSES:
				i = self.other[i]
			elif self.at(i) == ";":
				semicolons.append(i)
			i += 1
		self.site(semicolons[0] + 1, semicolons[1] - 1, "inverted", "true", "false")

	def look_return(self, i):
		last = self.edge(i, 1, ())
		if self.at(i + 1) in ("true", "false") and last == i + 1:
			self.site(i + 1, last, "inverted")
		else:
			self.site(i + 1, last, "inverted", "true", "false")

	def look_compare(self, i):
		text = self.at(i)
		if text not in EQUAL and text not in LESS:
			return
		ends = ENDS_EQUAL if text in EQUAL else ENDS_LESS
		begin, last = self.edge(i, -1, ends), self.edge(i, 1, ends)
		kinds = [] if "inverted" in self.sites.get((begin, last), {"kinds": []})["kinds"] else ["inverted"]
		if text in LESS:
			kinds.append("%s becomes %s" % (text, LESS[text][0]))
		self.site(begin, last, *kinds)
		self.sites[begin, last]["operator"] = i

	def is_label(self, i):
		"""whether the token is the colon after case or default"""
		if self.at(i) != ":":
			return False
		while self.at(i) not in (";", "{", "}", "?", "case", "default"):
			i -= 1
		return self.at(i) in ("case", "default")

	def look_call(self, i):
		"""a statement that is one call, or an RJWT_TRY()"""
		before = self.at(i - 1)
		if before not in (";", "{", "}", "else", "do") and not self.is_label(i - 1) and not (before == ")" and
		    self.at(self.other[i - 1] - 1) in HEADS) and not (self.span(i - 3, i - 1) == "( void )" and
		    self.at(i - 4) in (";", "{", "}")):
			return
		j = i
		while self.at(j + 1) in ("->", "."):
			j += 2
		name = self.at(j)
		if self.at(j + 1) != "(" or self.at(self.other[j + 1] + 1) != ";" or name in KEYWORDS or \
		    name.startswith("va_"):
			return
		if name == "RJWT_TRY":
			self.site(j + 2, self.other[j + 1] - 1, "error ignored")
		else:
			self.site(i - 3 if before == ")" and self.at(i - 2) == "void" else i, self.other[j + 1] + 1, "deleted")

	def mutant(self, begin, end, kind):
		line = self.text.count("\n", 0, self.tokens[begin][2]) + 1
		made = Mutant(self.next, self.name, line, self.sites[begin, end]["function"], kind,
			self.span(begin, end))
		self.next += 1
		self.mutants.append(made)
		return "MUTANT(%d)" % made.number

	def change(self, begin, end, body):
		"""body, the text of a site with the sites inside it changed already, with this site's mutants"""
		site = self.sites[begin, end]
		out = body
		for kind in site["kinds"]:
			if " becomes " in kind:
				i = site["operator"]
				out = "(%s ? (%s) %s (%s) : (%s))" % (self.mutant(begin, end, kind),
					self.plain(begin, i - 1), kind.split()[-1], self.plain(i + 1, end), out)
		for kind in site["kinds"]:
			if kind == "inverted":
				out = "(!!(%s) ^ %s)" % (out, self.mutant(begin, end, kind))
			elif kind in ("true", "false"):
				out = "(%s ? %d : !!(%s))" % (self.mutant(begin, end, kind), kind == "true", out)
			elif kind == "error ignored":
				out = "MUTANT_DEAF(%s, %s)" % (self.mutant(begin, end, kind)[7:-1], out)
			elif kind == "deleted":
				out = "{ if (!%s) %s }" % (self.mutant(begin, end, kind), out)
		return out

	def plain(self, begin, end):
		return self.text[self.tokens[begin][2]:self.tokens[end][3]]

	def inside(self, begin, end, without):
		"""the text of these tokens, with all sites in it changed, but for the one that is just being written"""
		out, at, i = "", self.tokens[begin][2], begin
		while i <= end:
			ends = [e for (b, e) in self.sites if b == i and e <= end and (b, e) != without]
			if not ends:
				i += 1
				continue
			last = max(ends)
			out += self.text[at:self.tokens[i][2]]
			out += self.change(i, last, self.inside(i, last, (i, last)))
			at, i = self.tokens[last][3], last + 1
		return out + self.text[at:self.tokens[end][3]]

	def changed(self):
		"""the text with all mutants, which are numbered on the way"""
		out = self.text[:self.tokens[0][2]] + self.inside(0, len(self.tokens) - 1, None)
		seen = {}
		for m in sorted(self.mutants, key=lambda m: (m.line, m.number)):
			seen[m.key] = m.turn = seen.get(m.key, 0) + 1
		return out + "\n"
