/* The neutral load generator: one thread, one loop, any protocol. README.md says how it counts. */
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#include "load.h"

struct counts counts;
bool is_finishing;

/* A core of its own, or what it measures would be its own wait for the server's. */
static void pin(void) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (options.core < 0) return;
    CPU_SET((unsigned)options.core, &cores);
    if (sched_setaffinity(0, sizeof cores, &cores) < 0) options.core = -1; /* said in the result */
}

static void allow_many_sockets(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int count, char **words) {
    read_options(count, words);
    pin();
    allow_many_sockets();
    connections_allocate();
    tally_prepare();
    if (!strcmp(options.mode, "run")) return run_mode();
    if (!strcmp(options.mode, "idle")) return idle_mode();
    if (!strcmp(options.mode, "open")) return open_mode();
    return intake_mode();
}
