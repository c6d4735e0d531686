/* Hocuspocus 4 over Yjs: binary messages, each after the name of its document. A sheet is a document whose Y.Map "cells"
 * has a text for every "row:column".
 *
 * What @hocuspocus/provider does, this does: it authenticates, asks for what it lacks (sync step 1), answers the server's
 * own step 1, sends every Y.Map.set() as one update at once (`flushDelay: false`, its default), and gets its own updates
 * back. It has no awareness (`awareness: null`): presence is no part of this work.
 * The sheet must be empty: of the items of others that an editor overwrites it would have to know the ids. */
#include <stdio.h>
#include <stdlib.h>

#include "protocol.h"
#include "varint.h"

enum { NAME_CAPACITY = 100, KEEP_ALIVE_TICKS = 20 /* the server ends a socket that says nothing for 60 s */ };

enum message_type { SYNC = 0, AUTH = 2, QUERY_AWARENESS = 3, SYNC_REPLY = 4, CLOSE = 7, SYNC_STATUS = 8, PING = 9, PONG = 10 };
enum auth_type { TOKEN = 0, DENIED = 1 };
enum sync_type { STEP_1 = 0, STEP_2 = 1, UPDATE = 2 };

/* Update format 1: the lower five bits say what a struct holds, the upper ones what stands before it.
 * https://github.com/yjs/yjs/blob/v13.6.27/src/structs/Item.js, readItemContent and write */
enum struct_kind { COLLECTED = 0, DELETED = 1, ANY = 8, SKIPPED = 10, KIND_MASK = 0x1f };
enum { HAS_ORIGIN = 0x80, HAS_RIGHT_ORIGIN = 0x40, HAS_KEY = 0x20, ANY_TEXT = 119 };

struct state {
    char name[NAME_CAPACITY];
    size_t name_length;
    uint32_t ticks;
    uint32_t status_to_ignore; /* sync step 2 is acknowledged like an edit */
};

/* One editor's items. A set takes one clock; so the clock says which cell it was, where a Yjs client follows the origin
 * to the item that has the key. */
struct author {
    uint32_t clock, capacity;
    uint32_t *cells;             /* by clock: row * SHEET_COLUMNS + column */
    uint32_t newest[SHEET_ROWS]; /* of its column: 1 + the clock of the newest item, 0 for none */
};

static struct author **authors; /* by the client's number */
static uint32_t author_count;
/* Yjs takes 32 random bits; these say whose they are, and with which run they came. */
static uint32_t prefix;

enum { NUMBER_BITS = 20 };

static uint32_t yjs_id(const struct client *client) {
    if (!prefix) prefix = (uint32_t)(random_bits() & 0x7ff) | 0x800;
    return prefix << NUMBER_BITS | client->number;
}

static struct author *author_of(uint64_t id) {
    uint32_t number = (uint32_t)id & ((1u << NUMBER_BITS) - 1);
    return id >> NUMBER_BITS == prefix && number < author_count ? authors[number] : NULL;
}

static void *must(void *memory) {
    if (memory) return memory;
    fprintf(stderr, "out of memory\n");
    exit(2);
}

static struct author *make_author(const struct client *client) {
    if (client->number >= author_count) {
        uint32_t count = client->number + 64;
        authors = must(realloc(authors, count * sizeof *authors));
        memset(authors + author_count, 0, (count - author_count) * sizeof *authors);
        author_count = count;
    }
    if (!authors[client->number]) authors[client->number] = must(calloc(1, sizeof **authors));
    return authors[client->number];
}

static void remember(struct author *author, uint32_t row, uint32_t column) {
    if (author->clock == author->capacity) {
        author->capacity = author->capacity ? author->capacity * 2 : 1024;
        author->cells = must(realloc(author->cells, author->capacity * sizeof *author->cells));
    }
    author->cells[author->clock++] = row * SHEET_COLUMNS + column;
    author->newest[row] = author->clock;
}

/* -- writing ---------------------------------------------------------------------------------------------------- */

static uint8_t *write_head(uint8_t *at, const struct state *state, enum message_type type) {
    at = write_varbytes(at, state->name, state->name_length);
    return write_varint(at, type);
}

/* The name of the document is the last part of the path; the server reads no path. */
static bool prepare(struct client *client, char path[PATH_CAPACITY]) {
    struct state *state = client->state;
    size_t end = strlen(path);
    while (end && path[end - 1] == '/') end--;
    size_t start = end;
    while (start && path[start - 1] != '/') start--;
    state->name_length = end - start;
    if (!state->name_length || state->name_length >= NAME_CAPACITY || client->number >> NUMBER_BITS) return false;
    memcpy(state->name, path + start, state->name_length);
    return true;
}

static void open_document(struct client *client) {
    struct state *state = client->state;
    uint8_t buffer[NAME_CAPACITY + 32], *at = write_head(buffer, state, AUTH);
    at = write_varint(at, TOKEN);
    at = write_varbytes(at, "", 0);
    at = write_varbytes(at, "4.8.0", 5); /* the version of the provider that is mimicked */
    client_send(client, OPCODE_BINARY, buffer, (size_t)(at - buffer));

    static const uint8_t nothing_known[] = {0}; /* a state vector of no clients */
    at = write_head(buffer, state, SYNC);
    at = write_varint(at, STEP_1);
    at = write_varbytes(at, nothing_known, sizeof nothing_known);
    client_send(client, OPCODE_BINARY, buffer, (size_t)(at - buffer));
}

static void send_nothing_new(struct client *client) {
    static const uint8_t empty_update[] = {0, 0}; /* no structs, no deletions */
    struct state *state = client->state;
    uint8_t buffer[NAME_CAPACITY + 32], *at = write_head(buffer, state, SYNC);
    at = write_varint(at, STEP_2);
    at = write_varbytes(at, empty_update, sizeof empty_update);
    client_send(client, OPCODE_BINARY, buffer, (size_t)(at - buffer));
    state->status_to_ignore++;
}

static size_t make_edit(struct client *client, const struct edit *edit, uint8_t buffer[EDIT_CAPACITY]) {
    struct author *author = make_author(client);
    uint32_t id = yjs_id(client), newest = author->newest[edit->row];
    uint8_t update[100], *at = update;
    at = write_varint(at, 1); /* of one client */
    at = write_varint(at, 1); /* one struct */
    at = write_varint(at, id);
    at = write_varint(at, author->clock);
    if (newest) { /* it stands right of the item that it overwrites, and so in the same map under the same key */
        *at++ = HAS_ORIGIN | HAS_KEY | ANY;
        at = write_varint(at, id);
        at = write_varint(at, newest - 1);
    } else {
        char key[24], *end = write_number(key, edit->row);
        *end++ = ':';
        end = write_number(end, edit->column);
        *at++ = HAS_KEY | ANY;
        at = write_varint(at, 1); /* its parent is a root type, named: */
        at = write_varbytes(at, "cells", 5);
        at = write_varbytes(at, key, (size_t)(end - key));
    }
    char text[10];
    at = write_varint(at, 1); /* one value */
    *at++ = ANY_TEXT;
    at = write_varbytes(at, text, (size_t)(write_number(text, edit->sequence) - text));
    if (newest) { /* deletions: of one client, one range, the overwritten item */
        at = write_varint(at, 1);
        at = write_varint(at, id);
        at = write_varint(at, 1);
        at = write_varint(at, newest - 1);
        at = write_varint(at, 1);
    } else {
        at = write_varint(at, 0);
    }
    remember(author, edit->row, edit->column);

    uint8_t *end = write_head(buffer, client->state, SYNC);
    end = write_varint(end, UPDATE);
    end = write_varbytes(end, update, (size_t)(at - update));
    return (size_t)(end - buffer);
}

static void tick(struct client *client) {
    struct state *state = client->state;
    if (++state->ticks % KEEP_ALIVE_TICKS) return;
    uint8_t buffer[NAME_CAPACITY + 8];
    client_send(client, OPCODE_BINARY, buffer, (size_t)(write_head(buffer, state, QUERY_AWARENESS) - buffer));
}

/* -- reading ---------------------------------------------------------------------------------------------------- */

static bool read_cell(struct span key, uint32_t *row, uint32_t *column) {
    struct scan scan = {key.start, key.start + key.length};
    return scan_number(&scan, row) && scan_byte(&scan, ':') && scan_number(&scan, column) && scan.at == scan.end;
}

/* What stands between the first byte of an item and its content; `key` is empty where the origin stands for it. */
static bool read_item_head(struct scan *scan, uint8_t info, struct span *key) {
    uint64_t ignored;
    struct span parent;
    *key = (struct span){0};
    if (info & HAS_ORIGIN && !(read_varint(scan, &ignored) && read_varint(scan, &ignored))) return false;
    if (info & HAS_RIGHT_ORIGIN && !(read_varint(scan, &ignored) && read_varint(scan, &ignored))) return false;
    if (info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN)) return true;
    uint64_t is_root;
    if (!read_varint(scan, &is_root) || is_root != 1 || !read_varbytes(scan, &parent) || !span_is(parent, "cells")) return false;
    return info & HAS_KEY && read_varbytes(scan, key);
}

static bool read_values(struct client *client, struct scan *scan, uint64_t id, uint64_t clock, struct span key, uint64_t *count) {
    if (!read_varint(scan, count)) return false;
    for (uint64_t at = 0; at < *count; at++) {
        struct span text;
        if (!scan_byte(scan, ANY_TEXT) || !read_varbytes(scan, &text)) return false;
        uint32_t row, column;
        const struct author *author = author_of(id);
        if (author) {
            if (clock + at >= author->clock) return false; /* nobody wrote that */
            row = author->cells[clock + at] / SHEET_COLUMNS;
            column = author->cells[clock + at] % SHEET_COLUMNS;
            uint32_t named_row, named_column;
            if (key.length && !(read_cell(key, &named_row, &named_column) && named_row == row && named_column == column)) return false;
        } else if (!key.length || !read_cell(key, &row, &column)) {
            continue; /* from before this run, written over an item that only its author knows here */
        }
        client_delivered(client, row, column, span_number(text));
    }
    return true;
}

/* The structs of an update; what was deleted, behind them, is what was overwritten. */
static bool read_update(struct client *client, struct scan scan, uint64_t *struct_count) {
    uint64_t section_count;
    *struct_count = 0;
    if (!read_varint(&scan, &section_count)) return false;
    while (section_count--) {
        uint64_t count, id, clock;
        if (!read_varint(&scan, &count) || !read_varint(&scan, &id) || !read_varint(&scan, &clock)) return false;
        *struct_count += count;
        for (; count; count--) {
            if (scan.at >= scan.end) return false;
            uint8_t info = *scan.at++;
            uint64_t length;
            struct span key;
            switch (info & KIND_MASK) {
            case COLLECTED:
            case SKIPPED:
                if (!read_varint(&scan, &length)) return false;
                break;
            case DELETED:
                if (!read_item_head(&scan, info, &key) || !read_varint(&scan, &length)) return false;
                break;
            case ANY:
                if (!read_item_head(&scan, info, &key) || !read_values(client, &scan, id, clock, key, &length)) return false;
                break;
            default:
                return false;
            }
            clock += length;
        }
    }
    return true;
}

static bool read_sync(struct client *client, struct scan scan) {
    uint64_t type, struct_count;
    struct span payload;
    if (!read_varint(&scan, &type) || !read_varbytes(&scan, &payload)) return false;
    if (type == STEP_1) {
        send_nothing_new(client);
        return true;
    }
    if (!read_update(client, (struct scan){payload.start, payload.start + payload.length}, &struct_count)) return false;
    if (type == UPDATE) return true;
    if (type != STEP_2) return false;
    if (struct_count && client->is_editor) client_failed(client, "an editor needs an empty sheet");
    client_opened(client);
    client_loaded(client, (uint32_t)struct_count);
    client_ready(client);
    return true;
}

static bool read_message(struct client *client, struct scan scan) {
    struct state *state = client->state;
    struct span name;
    uint64_t type, detail;
    if (scan.end - scan.at == 1 && *scan.at == PING) {
        static const uint8_t pong[] = {PONG};
        client_send(client, OPCODE_BINARY, pong, sizeof pong);
        return true;
    }
    if (!read_varbytes(&scan, &name) || !read_varint(&scan, &type)) return false;
    switch (type) {
    case SYNC:
    case SYNC_REPLY:
        return read_sync(client, scan);
    case SYNC_STATUS:
        if (!read_varint(&scan, &detail)) return false;
        if (state->status_to_ignore)
            state->status_to_ignore--;
        else if (detail)
            client_acknowledged(client, 1);
        else
            client_refused(client, 1);
        return true;
    case AUTH:
        return read_varint(&scan, &detail) && detail != DENIED;
    case CLOSE:
        return false;
    default:
        return true; /* awareness, stateless messages */
    }
}

static void on_message(struct client *client, const uint8_t *bytes, size_t length, enum opcode opcode) {
    if (opcode == OPCODE_BINARY && read_message(client, (struct scan){bytes, bytes + length})) return;
    char reason[200] = "cannot read ";
    size_t written = strlen(reason);
    for (size_t at = 0; at < length && written + 3 < sizeof reason; at++) written += (size_t)sprintf(reason + written, "%02x", bytes[at]);
    client_failed(client, reason);
}

const struct protocol hocuspocus_protocol = {
    .name = "hocuspocus",
    .edit_opcode = OPCODE_BINARY,
    .has_acknowledgements = true,
    .state_size = sizeof(struct state),
    .prepare = prepare,
    .open = open_document,
    .make_edit = make_edit,
    .on_message = on_message,
    .tick = tick,
};
