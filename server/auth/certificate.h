/**
 * What client certificates stand for: rules in the configuration file, the first that matches counts.
 *
 *     [[tls.clients]]
 *     match = ["CN=ci-*", "DNS=*.build.example", "URI=spiffe://example/ci-*"]
 *     can = "read,write"
 *     lanes = "main,ci-*"
 *
 * A certificate has names: "CN=…" for each common name of its subject, "DN=…" for the whole subject (RFC 4514),
 * "DNS=…", "EMAIL=…" and "URI=…" for its alternative names. In a pattern "*" stands for any run of characters. Whether
 * a certificate is to be believed at all is decided before (server/http/tls.h). Constant, callable from any thread.
 */
#ifndef JIC_SERVER_AUTH_CERTIFICATE_H
#define JIC_SERVER_AUTH_CERTIFICATE_H

#include "common/arena.h"
#include "server/auth/identity.h"

enum { JIC_CERTIFICATE_RULES_MAX = 256, JIC_CERTIFICATE_PATTERNS_MAX = 64, JIC_CERTIFICATE_NAME_BYTES_MAX = 320 };

struct jic_certificate_rules;

/** @param file  the configuration in TOML; NULL: there are no rules. Everything else in it is ignored.
 *  @return NULL with JIC_EFORMAT or JIC_EUSAGE, naming file and line, JIC_EIO or JIC_EMEMORY */
struct jic_certificate_rules *jic_certificate_rules_load(const char *file, struct jic_error *err);
void jic_certificate_rules_free(struct jic_certificate_rules *rules);
JIC_DEFINE_AUTO(jic_certificate_rules, jic_certificate_rules_free)

size_t jic_certificate_rules_count(const struct jic_certificate_rules *rules);

/**
 * @param names of one certificate
 * @param[out] out  its name is "cert:" and the name that matched; views are in the arena
 * @return false with JIC_EDENIED: no rule is for it
 */
jic_must_check bool jic_certificate_identify(const struct jic_certificate_rules *rules, const struct jic_view *names,
                                             size_t count, struct jic_arena *arena, struct jic_identity *out,
                                             struct jic_error *err);

#endif
