/* One connection, as the two files that share its work see it: connections.c and traffic.c. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "load.h"

enum { ABNORMAL = 1006 }; /* RFC 6455, 7.4.1: an end without a close */

struct bytes {
    uint8_t *data;
    size_t length, capacity;
};

enum phase { UNOPENED, CONNECTING, SHAKING_HANDS, OPEN, CLOSED };

struct connection {
    struct client client; /* first: a client's address is its connection's */
    int descriptor;
    enum phase phase;
    bool is_dirty, waits_for_room;
    struct bytes out;     /* framed, not yet written */
    size_t out_written;
    struct bytes rest;    /* the beginning of a frame whose end is still to come */
    size_t rest_lacks;    /* how much is still to come, as far as is known */
    struct bytes message; /* the joined fragments of a message */
    enum opcode message_opcode;
    struct opening opening;
};

/* -- connections.c -- */
void end(struct connection *connection, int code);
void fail(struct connection *connection, const char *reason); /* end it, for what the server should not have done */

/* -- traffic.c -- */
void traffic_allocate(int epoll);
void *must(void *memory);                              /* ends the process where there is none */
uint8_t *make_room(struct bytes *bytes, size_t more);  /* where the next bytes go */
void discard(struct bytes *bytes);
void flush(struct connection *connection);             /* write what can be written now */
void flush_all(void);
void receive(struct connection *connection);           /* once, and all that it completes is taken */
int64_t time_of_last_message(void);

#endif
