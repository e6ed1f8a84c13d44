# SPDX-License-Identifier: MIT
# rjwt-keyd status --json, as a textfile of the Prometheus node exporter:
#
#	rjwt-keyd status --json | jq -rf prometheus.jq >rjwt.prom.new; mv rjwt.prom.new /var/lib/prometheus/node-exporter/rjwt.prom
#
# Members that are absent are not known, and make no line. Of schema 1 none is ever renamed, and others may be added.

def line(name; value): if value == null then empty else "\(name) \(value)" end;
def gauge(name; help): "# HELP \(name) \(help)", "# TYPE \(name) gauge";
def escaped: tostring | gsub("\\\\"; "\\\\") | gsub("\""; "\\\"") | gsub("\n"; "\\n");

if .schema != 1 then error("schema \(.schema), not 1") else . end |
gauge("rjwt_level"; "0 OK, 1 WARN, 3 FAIL"),
line("rjwt_level"; {ok: 0, warn: 1, fail: 3}[.level]),
gauge("rjwt_rotation_due_seconds"; "Until the next rotation; negative: since when it has been due"),
line("rjwt_rotation_due_seconds"; if .next_event == "rotation" and .next_event_at and .now then .next_event_at - .now else null end),
gauge("rjwt_tokens_live"; "Tokens that can be used now, by scope; one with two scopes counts for both"),
((.tokens.live // {}) | to_entries[] | "rjwt_tokens_live{scope=\"\(.key | escaped)\"} \(.value)"),
gauge("rjwt_clock_suspect"; "1: the clock was set, and is not believed yet"),
line("rjwt_clock_suspect"; if .clock.suspect then 1 else 0 end)
