/* EtherCalc: socket.io 1 over the WebSocket transport of engine.io 3, without the polling before it. A text begins with
 * engine.io's digit (0 open, 2 ping, 3 pong, 4 message), a message with socket.io's (0 connected, 2 event); events are
 * ["data",{…}]. A sheet is a room, and an edit SocialCalc's command: set B7 text t 17. The server hands it to all others in
 * the room as it is, and acknowledges nothing. Cursors ("ecell") are no part of this work.
 * https://github.com/socketio/engine.io-protocol/tree/v3, https://github.com/socketio/socket.io-protocol/tree/v3 */
#include <stdio.h>

#include "protocol.h"
#include "scan.h"

enum { NAME_CAPACITY = 100, PING_TICKS = 25 /* "pingInterval":25000 */ };

struct state {
    char room[NAME_CAPACITY];
    uint32_t ticks;
    bool must_ask_again;
};

/* The room is the last part of the path; the sockets of all rooms are at one address. */
static bool prepare(struct client *client, char path[PATH_CAPACITY]) {
    struct state *state = client->state;
    size_t end = strlen(path);
    while (end && path[end - 1] == '/') end--;
    size_t start = end;
    while (start && path[start - 1] != '/') start--;
    if (end == start || end - start >= NAME_CAPACITY) return false;
    memcpy(state->room, path + start, end - start);
    *write_text(path, "/socket.io/?EIO=3&transport=websocket") = 0;
    return true;
}

/* What its own client adds to everything that it sends. */
static char *write_sender(char *at, const struct client *client, const char *type) {
    const struct state *state = client->state;
    at = write_text(at, "\"user\":\"user");
    at = write_number(at, client->number);
    at = write_text(at, "\",\"room\":\"");
    at = write_text(at, state->room);
    at = write_text(at, "\",\"type\":\"");
    at = write_text(at, type);
    return write_text(at, "\"}]");
}

static void ask_for_sheet(struct client *client) {
    char text[NAME_CAPACITY + 100];
    char *end = write_sender(write_text(text, "42[\"data\",{"), client, "ask.log");
    client_send(client, OPCODE_TEXT, text, (size_t)(end - text));
}

static size_t make_edit(struct client *client, const struct edit *edit, uint8_t buffer[EDIT_CAPACITY]) {
    char *at = write_text((char *)buffer, "42[\"data\",{\"cmdstr\":\"set ");
    *at++ = (char)('A' + edit->column);
    at = write_number(at, edit->row + 1);
    at = write_text(at, " text t ");
    at = write_number(at, edit->sequence);
    at = write_text(at, "\",\"saveundo\":true,");
    return (size_t)(write_sender(at, client, "execute") - (char *)buffer);
}

static void tick(struct client *client) {
    struct state *state = client->state;
    if (state->must_ask_again) {
        state->must_ask_again = false;
        ask_for_sheet(client);
    }
    if (++state->ticks % PING_TICKS == 0) client_send(client, OPCODE_TEXT, "2", 1);
}

/* set B7 text t 17 */
static bool read_command(struct client *client, struct span command) {
    static const char set[] = "set ", text[] = " text t ";
    struct scan scan = {command.start, command.start + command.length};
    if (command.length < sizeof set || memcmp(scan.at, set, sizeof set - 1)) return false;
    scan.at += sizeof set - 1;
    uint32_t column = (uint32_t)(*scan.at++ - 'A'), row, sequence;
    if (column >= SHEET_COLUMNS || !scan_number(&scan, &row) || !row) return false;
    if ((size_t)(scan.end - scan.at) < sizeof text || memcmp(scan.at, text, sizeof text - 1)) return false;
    scan.at += sizeof text - 1;
    if (!scan_number(&scan, &sequence) || scan.at != scan.end) return false;
    client_delivered(client, row - 1, column, sequence);
    return true;
}

/* ["data",{…}] */
static bool read_event(struct client *client, struct scan scan) {
    struct state *state = client->state;
    struct span name, type = {0}, command = {0};
    bool is_first = true;
    if (!scan_byte(&scan, '[') || !scan_string(&scan, &name) || !span_is(name, "data") || !scan_byte(&scan, ',')) return false;
    while (scan_member(&scan, &is_first, &name)) {
        bool is_read = span_is(name, "type") ? scan_string(&scan, &type)
                       : span_is(name, "cmdstr") ? scan_string(&scan, &command)
                                                 : scan_any(&scan);
        if (!is_read) return false;
    }
    if (span_is(type, "execute")) return read_command(client, command);
    if (span_is(type, "log")) {
        client_opened(client);
        client_loaded(client, 0);
        client_ready(client);
        return true;
    }
    if (!span_is(type, "ignore")) return false;
    state->must_ask_again = true; /* it does not know its storage yet */
    return true;
}

static bool read_message(struct client *client, struct scan scan) {
    if (scan.at == scan.end) return false;
    switch (*scan.at++) {
    case '0':
    case '3':
        return true;
    case '4':
        break;
    default:
        return false;
    }
    if (scan.at == scan.end) return false;
    switch (*scan.at++) {
    case '0':
        ask_for_sheet(client);
        return true;
    case '2':
        return read_event(client, scan);
    default:
        return false;
    }
}

static void on_message(struct client *client, const uint8_t *bytes, size_t length, enum opcode opcode) {
    if (opcode == OPCODE_TEXT && read_message(client, (struct scan){bytes, bytes + length})) return;
    char reason[200];
    snprintf(reason, sizeof reason, "cannot read %.*s", (int)(length < 160 ? length : 160), (const char *)bytes);
    client_failed(client, reason);
}

const struct protocol ethercalc_protocol = {
    .name = "ethercalc",
    .edit_opcode = OPCODE_TEXT,
    .state_size = sizeof(struct state),
    .prepare = prepare,
    .make_edit = make_edit,
    .on_message = on_message,
    .tick = tick,
};
