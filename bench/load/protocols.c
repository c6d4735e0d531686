/* All protocols; one line adds one. */
#include "protocol.h"

extern const struct protocol sheetsync_protocol, relay_protocol, naive_protocol;

const struct protocol *const protocols[] = {
    &sheetsync_protocol,
    &relay_protocol,
    &naive_protocol,
    NULL,
};
