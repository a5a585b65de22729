/**
 * What arrived is what was offered, whole, and made for this Julia: checked before anything is placed.
 */
#ifndef JIC_CLIENT_VERIFY_H
#define JIC_CLIENT_VERIFY_H

#include "client/lib/remote/offer.h"

/**
 * @param ji          the parsed canonical `.ji`
 * @param image       the whole image, empty when there is none
 * @param image_crc32c its CRC, computed while it arrived
 * @return false with JIC_ECORRUPT (checksums) or JIC_EPROTOCOL (it is another artefact than the record says)
 */
jic_must_check bool jic_verify_arrived(const struct jic_session *s, const struct jic_offer *offer, uint32_t record,
                                       const struct jic_ji *ji, struct jic_view image, uint32_t image_crc32c,
                                       struct jic_error *err);

#endif
