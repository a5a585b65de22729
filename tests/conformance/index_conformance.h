/**
 * What every implementation of server/store/index.h has to pass. Each case gets a fresh index. A test program of one
 * implementation defines its tests with the table:
 *
 *     #define CASE(name) Test(sqlite_index, name) { …; index_conformance_##name(ix); }
 *     INDEX_CONFORMANCE(CASE)
 */
#ifndef JIC_TESTS_INDEX_CONFORMANCE_H
#define JIC_TESTS_INDEX_CONFORMANCE_H

#include "server/store/index.h"

#define INDEX_CONFORMANCE(X)                                                                                           \
	X(a_fresh_index_is_ready_and_has_the_main_lane_alone)                                                          \
	X(lanes_are_found_listed_by_name_and_chained_from_the_root)                                                    \
	X(bad_lanes_are_refused)                                                                                       \
	X(tokens_are_found_by_hash_and_keep_every_field)                                                               \
	X(a_token_name_or_secret_is_there_once)                                                                        \
	X(deleted_tokens_are_gone_and_touched_ones_remember_when)                                                      \
	X(spaces_are_found_by_runtime_and_sysimage)                                                                    \
	X(a_runtime_keeps_what_is_bundled_with_it)                                                                     \
	X(a_lane_declares_a_system_image_once)                                                                         \
	X(who_sent_a_blob_is_known_until_it_goes)                                                                      \
	X(a_rotated_token_is_found_by_both_secrets)                                                                    \
	X(modules_keep_their_numbers)                                                                                  \
	X(an_unknown_module_number_is_corruption)                                                                      \
	X(blobs_are_kept_once_with_every_field)                                                                        \
	X(unused_blobs_are_forgotten_by_age_and_used_ones_stay)                                                        \
	X(artefacts_come_back_as_they_were_put)                                                                        \
	X(an_address_in_a_lane_is_taken_once)                                                                          \
	X(artefacts_are_found_in_their_own_lane_and_space_only)                                                        \
	X(providers_are_found_by_the_low_half_of_the_build_id)                                                         \
	X(a_deleted_artefact_provides_nothing)                                                                         \
	X(spaces_keys_and_blobs_are_listed_in_pages)                                                                   \
	X(an_artefact_moves_to_another_lane_as_it_is)                                                                  \
	X(a_lane_goes_when_nothing_is_in_it)                                                                           \
	X(requirers_are_found_in_one_lane)                                                                             \
	X(direct_requirers_lead_to_all)                                                                                \
	X(signatures_makers_and_recalls_are_kept)                                                                      \
	X(a_blob_knows_its_users_and_is_unused_when_the_last_has_gone)                                                 \
	X(what_is_not_committed_is_undone)                                                                             \
	X(a_reader_sees_one_snapshot)                                                                                  \
	X(writers_of_many_threads_take_turns)                                                                          \
	X(more_readers_than_connections_take_turns)                                                                    \
	X(stored_bytes_follow_the_blobs)                                                                               \
	X(a_lease_is_found_by_its_hash_with_its_keys)                                                                  \
	X(leases_are_found_by_key_in_their_own_lane_runtime_and_sysimage)                                              \
	X(an_ended_lease_is_on_nothing_and_goes_when_swept)                                                            \
	X(leases_go_with_their_lane)                                                                                   \
	X(pins_are_there_once_and_sorted)                                                                              \
	X(uses_are_kept_with_the_artefact)                                                                             \
	X(counters_add_up)                                                                                             \
	X(counts_follow_what_is_stored)

#define INDEX_CONFORMANCE_DECLARE(name) void index_conformance_##name(struct jic_index *ix);
INDEX_CONFORMANCE(INDEX_CONFORMANCE_DECLARE)
#undef INDEX_CONFORMANCE_DECLARE

#endif
