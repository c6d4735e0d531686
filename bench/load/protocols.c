/* All protocols; one line adds one. */
#include "protocol.h"

#define ALL(each) \
    each(sheetsync) \
    each(sheetsync_packed) \
    each(relay) \
    each(naive) \
    each(hocuspocus) \
    each(sharedb) \
    each(ethercalc)

#define DECLARE(name) extern const struct protocol name##_protocol;
#define LIST(name) &name##_protocol,

ALL(DECLARE)

const struct protocol *const protocols[] = {ALL(LIST) NULL};
