/**
 * What every implementation of server/store/blobs.h has to pass; used as index_conformance.h is.
 */
#ifndef JIC_TESTS_BLOBS_CONFORMANCE_H
#define JIC_TESTS_BLOBS_CONFORMANCE_H

#include "server/store/blobs.h"

#define BLOBS_CONFORMANCE(X)                                                                                           \
	X(fresh_blobs_are_ready_and_empty)                                                                             \
	X(a_committed_blob_is_read_as_it_was_put)                                                                      \
	X(an_empty_blob_is_a_blob)                                                                                     \
	X(nobody_sees_a_blob_before_its_commit)                                                                        \
	X(a_sink_without_a_commit_leaves_nothing)                                                                      \
	X(committing_a_digest_twice_is_no_error)                                                                       \
	X(a_removed_blob_is_gone_but_who_has_it_open_keeps_reading)                                                    \
	X(a_blob_in_quarantine_is_gone_for_readers)                                                                    \
	X(each_names_every_blob_and_passes_a_failure_up)                                                               \
	X(scratch_files_have_no_name)

#define BLOBS_CONFORMANCE_DECLARE(name) void blobs_conformance_##name(struct jic_blobs *b);
BLOBS_CONFORMANCE(BLOBS_CONFORMANCE_DECLARE)
#undef BLOBS_CONFORMANCE_DECLARE

#endif
