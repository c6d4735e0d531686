/* What the core and a protocol agree on: a protocol says how to open a sheet, how to write an edit and how to read
 * what the server sends; the core does the rest, alike for all (sockets, framing, pacing, counting, latencies).
 *
 * To add one: write peer_NAME.c with a `const struct protocol NAME_protocol`, and a line in protocols.c.
 *
 * The life of a client (one WebSocket):
 *   prepare()     optional, before the connection: may change the path, with blocking requests by http_get()
 *   open()        optional, after the server's 101: sends the first message, if the protocol has one
 *   on_message()  once for every whole message, fragments joined, text or binary; answers WebSocket pings itself are
 *                 none of its business. It may client_send() at any time: handshakes in several steps, pongs, acks.
 *                 It calls client_ready() when the sheet is open and whole; until all are ready, nobody edits.
 *   make_edit()   only for editors, after all are ready: writes the payload of one message, or nothing (0) where a
 *                 protocol has one edit in flight and sends the others later, by client_send()
 * There is one thread and one load per process: a protocol may use static variables. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHEET_ROWS = 1000, SHEET_COLUMNS = 26, EDIT_CAPACITY = 4096, PATH_CAPACITY = 512 };

enum opcode { OPCODE_CONTINUATION = 0, OPCODE_TEXT = 1, OPCODE_BINARY = 2, OPCODE_CLOSE = 8, OPCODE_PING = 9, OPCODE_PONG = 10 };

/* One socket. A protocol reads these fields and owns what `state` points at. */
struct client {
    uint32_t number; /* 0 … sockets-1 */
    uint32_t sheet;  /* 0, unless --sheets says that there are several */
    uint32_t place;  /* among the sheet's sockets; the first ones are its editors */
    bool is_editor;
    bool is_ready;
    void *state; /* `state_size` bytes, zeroed before open() */
};

/* One write of one cell. The text of the cell is the sequence in decimal digits: 1, 2, 3 … of its editor. */
struct edit {
    uint32_t row, column; /* zero-based, below SHEET_ROWS and SHEET_COLUMNS */
    uint32_t sequence;
};

struct protocol {
    const char *name;
    enum opcode edit_opcode;  /* OPCODE_TEXT or OPCODE_BINARY */
    bool has_acknowledgements; /* does the server tell an author that an edit is taken? */
    size_t state_size;
    const char *subprotocol; /* Sec-WebSocket-Protocol, or NULL */
    bool (*prepare)(struct client *client, char path[PATH_CAPACITY]); /* false: this socket cannot be opened */
    void (*open)(struct client *client);
    size_t (*make_edit)(struct client *client, const struct edit *edit, uint8_t buffer[EDIT_CAPACITY]); /* its length */
    void (*on_message)(struct client *client, const uint8_t *bytes, size_t length, enum opcode opcode);
    void (*tick)(struct client *client); /* optional: called about once a second, for heartbeats of the protocol's own */
};

extern const struct protocol *const protocols[]; /* ends with NULL; protocols.c */

/* -- what a protocol calls -------------------------------------------------------------------------------------- */

/* Send one message; it is masked and framed here, and written when the current event is done. */
void client_send(struct client *client, enum opcode opcode, const void *bytes, size_t length);

/* The sheet is open and whole on this client. */
void client_ready(struct client *client);

/* The client was shown `sequence` in this cell. Call it for every cell of every message, own ones too: the core knows
 * whose cell it is, leaves out what comes back to its author, and counts all edits of this cell up to `sequence`. */
void client_delivered(struct client *client, uint32_t row, uint32_t column, uint32_t sequence);

/* The server took, or refused, `count` edits of this client (acknowledgements in the order of the edits). */
void client_acknowledged(struct client *client, uint32_t count);
void client_refused(struct client *client, uint32_t count);

/* For mode `open`: the server answered the opening; some of the sheet's cells have come. */
void client_opened(struct client *client);
void client_loaded(struct client *client, uint32_t cells);

/* The server sent what this protocol cannot read: counted, the first one said on stderr, and the run is not ok. */
void client_failed(struct client *client, const char *reason);

/* For prepare(): GET `path` from the server under test; the body, ended by NUL, or false. Blocks. */
bool http_get(const char *path, char *body, size_t capacity);

/* -- small parts that every protocol needs ---------------------------------------------------------------------- */

uint64_t random_bits(void);
void write_uuid(char uuid[37]); /* a fresh version 4 UUID, ended by NUL */

/* Write decimal digits, return the end. */
static inline char *write_number(char *at, uint32_t number) {
    char digits[10];
    int count = 0;
    do digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count) *at++ = digits[--count];
    return at;
}

/* Copy a string without its NUL, return the end. */
static inline char *write_text(char *at, const char *text) {
    while (*text) *at++ = *text++;
    return at;
}

#endif
