/* Clone targets come from foreign cache files. Besides not crashing: what a native session may publish, it could load.
 */
#include "client/lib/julia/targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jic_facts f = {.version = {1, 11, 1}, .cpu_target = JIC_VIEW("native")};
	struct jic_view blob = jic_view_bytes(data, size);
	const bool usable = jic_targets_usable(blob, &f);
	if (jic_targets_match_session(blob, &f))
		JIC_ASSERT(usable);
	f.version.minor = 12;
	f.cpu_target = JIC_VIEW("generic;haswell,-rdrnd,base(1)");
	(void)jic_targets_match_session(blob, &f);
	return 0;
}
